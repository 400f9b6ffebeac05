#include "support.h"

#include <cstdio>

#include "base/random.h"
#include "tests.h"

namespace espalier::cuda::test {

Registration::Registration(const char* name, void (*run)()) {
  tests().push_back({name, run});
}

std::vector<Test>& tests() {
  static std::vector<Test> tests;
  return tests;
}

Counts& counts() {
  static Counts counts;
  return counts;
}

bool expect(bool holds, const std::string& what) {
  Counts& all = counts();
  ++all.checks;
  if (!holds) {
    ++all.failures;
    std::printf("FAILED %s: %s\n", all.test, what.c_str());
    std::fflush(stdout);
  }
  return holds;
}

bool expectClose(double value, double reference, double tolerance, const std::string& what) {
  if ((std::isnan(value) && std::isnan(reference)) || std::abs(value - reference) <= tolerance) {
    return expect(true, what);
  }
  char numbers[128];
  std::snprintf(numbers, sizeof(numbers), " is %.9g, should be %.9g within %.3g", value, reference,
                tolerance);
  return expect(value == reference, what + numbers);
}

bool expectError(ErrorCode code, const std::function<void()>& call, const std::string& what) {
  try {
    call();
  } catch (const Error& error) {
    return expect(error.code() == code, what + ": throws with another code: " + error.what());
  }
  return expect(false, what + ": throws nothing");
}

uint64_t Random::bits() {
  return deriveSeed(seed_, RandomPurpose::Pattern, 0, drawn_++);
}

float Random::uniform() {
  return static_cast<float>(static_cast<int64_t>(bits() >> 40)) * 0x1p-23f - 1.0f;
}

int64_t Random::below(int64_t n) {
  return static_cast<int64_t>(bits() % static_cast<uint64_t>(n));
}

Pattern raggedPattern(const Grid& grid, double density, uint64_t seed) {
  Random random(seed);
  const int64_t rows = grid.blockRows();
  const int64_t columns = grid.blockColumns();
  std::vector<int64_t> positions;
  for (int64_t row = 0; row < rows; ++row) {
    if (row == 1) continue;
    for (int64_t column = 0; column < columns; ++column) {
      const bool drawn = random.uniform() < 2 * density - 1;
      if (row == 0 || drawn) positions.push_back(row * columns + column);
    }
  }
  return Pattern::fromPositions(grid, positions);
}

}  // namespace espalier::cuda::test
