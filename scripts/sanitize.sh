#!/usr/bin/env bash
# Builds the addon and the emulated CUDA part with AddressSanitizer and UndefinedBehaviorSanitizer and runs the tests that
# touch them, or those tests of the addon that are named. node itself is not instrumented, so the runtime is preloaded,
# and leak detection stays off: it would report node's own. Then the native test of concurrency with ThreadSanitizer, and
# with AddressSanitizer once more for its leaks.
set -euo pipefail
cd "$(dirname "$0")/.."

# -O1: instrumented kernels take minutes to compile at -O3.
cmake -S . -B build/sanitize -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DESPALIER_SANITIZE=memory
cmake --build build/sanitize --parallel "$(nproc)" --target espalier espalier_emulated

compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' build/sanitize/CMakeCache.txt)
export ESPALIER_SANITIZED=1
export ESPALIER_ADDON="$PWD/build/sanitize/Release/espalier.node"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
if [ $# -eq 0 ]; then
  cmake --build build/sanitize --parallel "$(nproc)" --target espalier_concurrency_test
  ASAN_OPTIONS=detect_leaks=1 build/sanitize/Release/espalier_concurrency_test
  cmake -S . -B build/sanitize-threads -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O1 \
    -DESPALIER_SANITIZE=threads
  cmake --build build/sanitize-threads --parallel "$(nproc)" --target espalier_concurrency_test
  build/sanitize-threads/Release/espalier_concurrency_test
  emulated=build/sanitize/Release/espalier_cuda_test_emulated
  if [ -x "$emulated" ]; then "$emulated"; fi
  set -- test/native/*.test.ts test/native/rewire/*.test.ts test/rewire/*.test.ts test/kernels.test.ts test/model/network.test.ts test/train/*.test.ts
fi
LD_PRELOAD="$("$compiler" -print-file-name=libasan.so)" npx tap --jobs=1 --timeout=600 --reporter=terse "$@"
