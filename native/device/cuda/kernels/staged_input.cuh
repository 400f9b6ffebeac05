#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <limits>

#include "device/cuda/base/async_copy.cuh"
#include "device/cuda/kernels/lane_sums.cuh"
#include "device/cuda/kernels/sample_vector.cuh"
#include "device/cuda/kernels/sparse_view.h"

namespace espalier::cuda {

// What the staged products share: a block brings a slice of the samples of a stage (some chunks of block
// columns) into shared memory, where 8 lanes read the samples of one feature, 128 bytes, without conflicts.

/// Lanes that work on one entry.
inline constexpr int kStagedLanes = 8;
/// Bytes of one feature that these lanes read at once.
inline constexpr int kStagedBytes = 16 * kStagedLanes;

/// Samples of a slice whose features take kParts x kStagedBytes.
template <typename Element, int kParts>
inline constexpr int kSliceSamples = kParts* kStagedLanes* kVectorSamples<Element>;

/// How the columns of a matrix are cut into stages, which take turns in two slots of shared memory.
struct StagePlan {
  int32_t chunksPerStage = 1;
  int32_t stages = 1;
  int32_t slotBytes = 0;
};

/// Chunks whose features, `bytes` of each, fit into a slot. None where places in the whole input would leave
/// 32 bits.
inline int64_t chunksThatFit(int64_t sharedBytes, const SparseView& matrix, const ChunkOffsets& chunks,
                             int64_t bytes) {
  const int64_t columnBytes = matrix.blockInputs * bytes;
  if (matrix.blockColumns * columnBytes > std::numeric_limits<int32_t>::max()) return 0;
  return sharedBytes / 2 / (chunks.chunkColumns * columnBytes);
}

/// Queues the copies of one stage and slice into a slot; samples beyond `stride` become 0. Block columns from
/// the stage's first one, `firstColumn`, to that of the next, `endColumn`.
template <typename Element, int kParts, int kThreads>
__device__ __forceinline__ void stageInput(const SparseView& matrix, int32_t firstColumn, int32_t endColumn,
                                           const Element* input, int32_t stride, int32_t slice,
                                           unsigned char* slot) {
  constexpr int kVectors = kParts * kStagedLanes;
  const int32_t sample = slice * kSliceSamples<Element, kParts> +
                         static_cast<int32_t>(threadIdx.x) % kVectors * kVectorSamples<Element>;
  const bool present = sample < stride;
  const int64_t firstFeature = static_cast<int64_t>(firstColumn) * matrix.blockInputs;
  const int32_t features = (endColumn - firstColumn) * matrix.blockInputs;
  const Element* from = present ? input + sample : input;
  for (int32_t feature = static_cast<int32_t>(threadIdx.x) / kVectors; feature < features;
       feature += kThreads / kVectors) {
    copyAsync16(slot + (feature * kVectors + static_cast<int32_t>(threadIdx.x) % kVectors) * 16,
                from + (firstFeature + feature) * stride, present);
  }
}

/// A row and its entries in one stage. A warp asks for 32 rows at a time, one in each lane.
struct StagedRow {
  int32_t row;
  int32_t begin;
  int32_t end;

  /// The row at a place of the order; none, -1, beyond the last place.
  static __device__ __forceinline__ StagedRow at(int64_t place, const SparseView& matrix,
                                                 const ChunkOffsets& chunks, int32_t firstChunk,
                                                 int32_t endChunk) {
    if (place >= matrix.blockRows) return {-1, 0, 0};
    const int32_t row = matrix.order[place];
    const int64_t rows = matrix.blockRows;
    return {row, chunks.offsets[firstChunk * rows + row], chunks.offsets[endChunk * rows + row]};
  }

  __device__ __forceinline__ StagedRow in(int lane) const {
    return {__shfl_sync(kWholeWarp, row, lane), __shfl_sync(kWholeWarp, begin, lane),
            __shfl_sync(kWholeWarp, end, lane)};
  }
};

}  // namespace espalier::cuda
