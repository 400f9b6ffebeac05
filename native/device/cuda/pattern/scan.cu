#include "device/cuda/pattern/scan.h"

#include "device/cuda/base/launch.h"
#include "device/cuda/pattern/block_sum.cuh"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 1024;
constexpr int kItems = 8;

/// One block: rows are few beside entries, and a second launch would cost more than it gains.
__global__ void __launch_bounds__(kThreads)
    scan(const int32_t* counts, int32_t size, int32_t* offsets, int32_t* cursor) {
  int32_t before = 0;
  for (int64_t tile = 0; tile < size; tile += int64_t{kThreads} * kItems) {
    const int64_t first = tile + int64_t{threadIdx.x} * kItems;
    int32_t items[kItems];
    int32_t sum = 0;
#pragma unroll
    for (int k = 0; k < kItems; ++k) {
      items[k] = first + k < size ? counts[first + k] : 0;
      sum += items[k];
    }
    int32_t total = 0;
    int32_t running = before + exclusiveSum<kThreads>(sum, total);
#pragma unroll
    for (int k = 0; k < kItems; ++k) {
      if (first + k < size) {
        offsets[first + k] = running;
        if (cursor != nullptr) cursor[first + k] = running;
      }
      running += items[k];
    }
    before += total;
  }
  if (threadIdx.x == 0) offsets[size] = before;
}

}  // namespace

void scanCounts(Context& context, const int32_t* counts, int32_t size, int32_t* offsets, int32_t* cursor) {
  launch(context, scan, {1, kThreads, 0}, counts, size, offsets, cursor);
}

}  // namespace espalier::cuda
