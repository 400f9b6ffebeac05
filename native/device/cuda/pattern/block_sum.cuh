#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace espalier::cuda {

/// The sum of `value` over the threads before this one; total: over all. For all kThreads threads of a
/// one-dimensional block together.
template <int kThreads, typename Sum>
__device__ __forceinline__ Sum exclusiveSum(Sum value, Sum& total) {
  static_assert(kThreads % 32 == 0);
  __shared__ Sum sums[kThreads / 32];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  Sum inclusive = value;
  for (int distance = 1; distance < 32; distance *= 2) {
    const Sum other = __shfl_up_sync(0xFFFFFFFFu, inclusive, distance);
    if (lane >= distance) inclusive += other;
  }
  if (lane == 31) sums[warp] = inclusive;
  __syncthreads();
  Sum before = 0;
  total = 0;
  for (int i = 0; i < kThreads / 32; ++i) {
    if (i < warp) before += sums[i];
    total += sums[i];
  }
  // The next call writes the same sums.
  __syncthreads();
  return before + inclusive - value;
}

}  // namespace espalier::cuda
