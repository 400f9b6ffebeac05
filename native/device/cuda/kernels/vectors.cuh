#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/base/matrix_units.cuh"
#include "device/cuda/kernels/features.h"

namespace espalier::cuda {

// What kernels that walk activations share: four neighbouring samples to a thread, as 16 bytes, which the
// alignment of Features allows everywhere.

inline constexpr uint32_t kWholeWarp = 0xFFFFFFFFu;
inline constexpr int32_t kWarp = 32;

/// Four neighbouring samples of one feature.
struct Four {
  float at[4];
};

__device__ __forceinline__ Four loadFour(const float* from) {
  const float4 v = *reinterpret_cast<const float4*>(from);
  return {{v.x, v.y, v.z, v.w}};
}

__device__ __forceinline__ void storeFour(const Four& v, float* to) {
  *reinterpret_cast<float4*>(to) = make_float4(v.at[0], v.at[1], v.at[2], v.at[3]);
}

__device__ __forceinline__ void storeRounded(const Four& v, __nv_bfloat16* to) {
  *reinterpret_cast<uint2*>(to) = make_uint2(packBfloat16(v.at[0], v.at[1]), packBfloat16(v.at[2], v.at[3]));
}

/// Writes the values and, where it is wanted, their rounded copy.
__device__ __forceinline__ void storeFour(const Four& v, const FeaturesOut& to, int64_t place) {
  storeFour(v, to.values + place);
  if (to.rounded != nullptr) storeRounded(v, to.rounded + place);
}

// --- One thread to four samples of one row.

inline constexpr int32_t kElementThreads = 256;

/// Threads along x walk a row's samples, threads along y are rows.
inline LaunchShape elementShape(int32_t rows, int32_t stride) {
  const int32_t vectors = stride / 4;
  int32_t width = 2;
  while (width < kWarp && width < vectors) width *= 2;
  const int32_t height = kElementThreads / width;
  return {
      dim3(static_cast<uint32_t>(divideUp(rows, height)), static_cast<uint32_t>(divideUp(vectors, width))),
      dim3(static_cast<uint32_t>(width), static_cast<uint32_t>(height))};
}

/// Where a thread of an elementShape() works.
struct Element {
  int32_t row;
  int32_t sample;
  __device__ __forceinline__ Element()
      : row(static_cast<int32_t>(blockIdx.x * blockDim.y + threadIdx.y)),
        sample(static_cast<int32_t>(4 * (blockIdx.y * blockDim.x + threadIdx.x))) {}
  __device__ __forceinline__ bool within(int32_t rows, int32_t stride) const {
    return row < rows && sample < stride;
  }
  __device__ __forceinline__ int64_t place(int32_t stride) const { return int64_t{row} * stride + sample; }
};

// --- One warp, or for long rows one block, to a row, for sums over its samples.

inline constexpr int32_t kRowThreads = 256;
inline constexpr int32_t kRowWarps = kRowThreads / kWarp;
/// Longer rows take a block.
inline constexpr int32_t kLongestWarpRow = 512;

/// Where a thread of a rowShape() works. Leave at once, warps or blocks together, where the row is beyond.
template <int WarpsPerRow>
struct RowThread {
  static constexpr int32_t kThreads = WarpsPerRow * kWarp;
  int32_t row;
  /// Number of the thread in its row.
  int32_t number;
  __device__ __forceinline__ RowThread()
      : row(static_cast<int32_t>(blockIdx.x * (kRowThreads / kThreads) + threadIdx.x / kThreads)),
        number(static_cast<int32_t>(threadIdx.x % kThreads)) {}
};

inline LaunchShape rowShape(int32_t rows, int32_t warpsPerRow) {
  return {dim3(static_cast<uint32_t>(divideUp(rows, kRowWarps / warpsPerRow))), dim3(kRowThreads)};
}

/// The whole row's sum of sums[k] goes to thread k of the row; the other threads get nothing of use. The
/// order never changes. All threads of the row come here, once in a kernel.
template <int WarpsPerRow, int Sums>
__device__ __forceinline__ float rowTotal(const float (&sums)[Sums], int32_t number) {
  float mine = 0;
  for (int k = 0; k < Sums; ++k) {
    float total = sums[k];
    for (int distance = kWarp / 2; distance > 0; distance /= 2) {
      total += __shfl_xor_sync(kWholeWarp, total, distance);
    }
    if (number % kWarp == k) mine = total;
  }
  if constexpr (WarpsPerRow == 1) return mine;
  __shared__ float partial[WarpsPerRow][Sums];
  if (number % kWarp < Sums) partial[number / kWarp][number % kWarp] = mine;
  __syncthreads();
  float total = 0;
  if (number < Sums) {
    for (int warp = 0; warp < WarpsPerRow; ++warp) total += partial[warp][number];
  }
  return total;
}

// --- One block to eight samples (a sector of 32 bytes) of all rows, for sums over the rows: threads 2i and
// 2i + 1 hold four samples each of row i, i + blockDim.x / 2 and so on.

inline constexpr int32_t kColumnSamples = 8;
inline constexpr int32_t kColumnWarpsAtMost = 16;

inline LaunchShape columnShape(int32_t rows, int32_t stride) {
  const int64_t warps = std::clamp<int64_t>(divideUp(rows, kWarp), 1, kColumnWarpsAtMost);
  return {dim3(static_cast<uint32_t>(stride / kColumnSamples)), dim3(static_cast<uint32_t>(warps * kWarp))};
}

/// Where a thread of a columnShape() works.
struct ColumnThread {
  int32_t firstRow;
  int32_t rowStep;
  /// First of its four samples, in the block and in all.
  int32_t inBlock;
  int32_t sample;
  __device__ __forceinline__ ColumnThread()
      : firstRow(static_cast<int32_t>(threadIdx.x / 2)),
        rowStep(static_cast<int32_t>(blockDim.x / 2)),
        inBlock(static_cast<int32_t>(threadIdx.x % 2 * 4)),
        sample(static_cast<int32_t>(blockIdx.x) * kColumnSamples + inBlock) {}
};

}  // namespace espalier::cuda
