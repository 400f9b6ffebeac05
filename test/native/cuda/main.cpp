// Runs the tests of the CUDA device, all or those with the given words in their names:
//   cuda_test [part of a name]
// Exit code 0: all checks held; 1: some did not, or the GPU does not open; 77: there is no GPU, so nothing
// ran.

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include "tests.h"

using namespace espalier::cuda::test;

namespace {

/// Why there is nothing to run on; empty where there is, or where that is an error.
std::string absence(cudaError_t status, int count) {
  int driver = 0;
  (void)cudaDriverGetVersion(&driver);
  const bool noDriver = status == cudaErrorInsufficientDriver && driver == 0;
  if (noDriver || status == cudaErrorNoDevice) return cudaGetErrorString(status);
  return status == cudaSuccess && count == 0 ? "there is no GPU" : "";
}

void run(const Test& test) {
  counts().test = test.name;
  try {
    test.run();
  } catch (const std::exception& error) {
    ++counts().failures;
    std::printf("FAILED %s: an exception: %s\n", test.name, error.what());
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argumentCount, char** arguments) {
  const char* wanted = argumentCount > 1 ? arguments[1] : "";
  int count = 0;
  const cudaError_t opening = cudaGetDeviceCount(&count);
  if (const std::string reason = absence(opening, count); !reason.empty()) {
    std::printf("skipped: %s\n", reason.c_str());
    return 77;
  }
  if (opening != cudaSuccess) {
    std::printf("FAILED: the GPU does not open: %s\n", cudaGetErrorString(opening));
    return 1;
  }
  // In the order of names, not of linking.
  std::stable_sort(tests().begin(), tests().end(),
                   [](const Test& a, const Test& b) { return std::strcmp(a.name, b.name) < 0; });
  int64_t ran = 0;
  for (const Test& test : tests()) {
    if (std::strstr(test.name, wanted) == nullptr) continue;
    run(test);
    ++ran;
  }
  std::printf("%lld tests, %lld checks, %lld failures\n", static_cast<long long>(ran),
              static_cast<long long>(counts().checks), static_cast<long long>(counts().failures));
  // Tools that look for leaks look when the card is given back.
  (void)cudaDeviceReset();
  if (ran == 0) std::printf("no test has \"%s\" in its name\n", wanted);
  return counts().failures > 0 || ran == 0 ? 1 : 0;
}
