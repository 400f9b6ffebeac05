#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "device/cuda/base/context.h"
#include "sparse/pattern.h"

// The tests' few words. One program runs them on a card and on the emulation alike:
//   TEST("name") { Context context; ...; expect(holds, "what"); }

namespace espalier::cuda::test {

/// Adds a test to the program. Prefer TEST.
struct Registration {
  Registration(const char* name, void (*run)());
};

#define ESPALIER_TEST_JOIN_(a, b) a##b
#define ESPALIER_TEST_JOIN(a, b) ESPALIER_TEST_JOIN_(a, b)
#define ESPALIER_TEST_NAMED(name, function)                                                              \
  static void function();                                                                                \
  static const ::espalier::cuda::test::Registration ESPALIER_TEST_JOIN(function, Added)(name, function); \
  static void function()
/// TEST("name") { ... }: fails at each check that does not hold, and where an exception leaves it.
#define TEST(name) ESPALIER_TEST_NAMED(name, ESPALIER_TEST_JOIN(espalierTest, __LINE__))

/// Counts a check, and prints `what` where it fails. Returns `holds`.
bool expect(bool holds, const std::string& what);
/// |value - reference| <= tolerance. A NaN fails, unless both are one.
bool expectClose(double value, double reference, double tolerance, const std::string& what);
/// The call throws an Error with this code.
bool expectError(ErrorCode code, const std::function<void()>& call, const std::string& what);

/// Made-up numbers, the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : seed_(seed) {}
  /// In [-1, 1).
  float uniform();
  /// Whole, 0 to n - 1.
  int64_t below(int64_t n);

 private:
  uint64_t bits();
  uint64_t seed_;
  uint64_t drawn_ = 0;
};

/// An array on the card with these numbers.
template <typename T>
DeviceBuffer<T> upload(Context& context, const std::vector<T>& values) {
  DeviceBuffer<T> buffer(context.memory, static_cast<int64_t>(values.size()));
  buffer.upload(values);
  context.stream.synchronize();
  return buffer;
}

/// Waits for the stream.
template <typename T>
std::vector<T> download(const DeviceBuffer<T>& buffer) {
  std::vector<T> values(static_cast<size_t>(buffer.size()));
  buffer.download(values);
  return values;
}

/// An array on the card full of 0xFF bytes (NaN, -1), for outputs: what a kernel does not write shows.
template <typename T>
DeviceBuffer<T> poisoned(Context& context, int64_t size) {
  std::vector<T> values(static_cast<size_t>(size));
  if (size > 0) std::memset(static_cast<void*>(values.data()), 0xFF, values.size() * sizeof(T));
  return upload(context, values);
}

/// A pattern of about this density whose first block row is full and whose second one is empty, where there
/// are two.
Pattern raggedPattern(const Grid& grid, double density, uint64_t seed);

}  // namespace espalier::cuda::test
