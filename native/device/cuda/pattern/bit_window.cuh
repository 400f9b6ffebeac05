#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "device/cuda/pattern/block_sum.cuh"

namespace espalier::cuda {

// One row of a pattern is put in order by marking its columns in a bitmap in shared memory, a window of
// columns at a time: no sort, and no memory that grows with the row.

/// Most words of a window: 16384 columns.
inline constexpr int32_t kWindowWords = 512;

inline int32_t windowWords(int64_t columns) {
  return static_cast<int32_t>(std::min<int64_t>((columns + 31) / 32, kWindowWords));
}

/// Marks a column of the window that begins at `first`; columns outside are left out. `words`: of the window.
__device__ __forceinline__ void mark(uint32_t* bits, int32_t words, int64_t first, int32_t column) {
  const int64_t place = column - first;
  if (place < 0 || place >= int64_t{words} * 32) return;
  atomicOr(&bits[place / 32], 1u << (place % 32));
}

/// before[w] = set bits of the words before w; returns all of them. For the whole block; word(w): the words.
template <int kThreads, typename Word>
__device__ __forceinline__ int32_t countBits(int32_t words, const Word& word, int32_t* before) {
  const int32_t share = (words + kThreads - 1) / kThreads;
  const int32_t begin = std::min<int32_t>(words, static_cast<int32_t>(threadIdx.x) * share);
  const int32_t end = std::min<int32_t>(words, begin + share);
  int32_t sum = 0;
  for (int32_t w = begin; w < end; ++w) sum += __popc(word(w));
  int32_t total = 0;
  int32_t running = exclusiveSum<kThreads>(sum, total);
  for (int32_t w = begin; w < end; ++w) {
    before[w] = running;
    running += __popc(word(w));
  }
  __syncthreads();
  return total;
}

}  // namespace espalier::cuda
