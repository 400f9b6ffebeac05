#pragma once

#include <cstdint>
#include <vector>

// What support.cpp keeps for main.cpp.

namespace espalier::cuda::test {

struct Test {
  const char* name;
  void (*run)();
};
std::vector<Test>& tests();

struct Counts {
  int64_t checks = 0;
  int64_t failures = 0;
  /// The test that runs now.
  const char* test = "";
};
Counts& counts();

}  // namespace espalier::cuda::test
