#include <algorithm>

#include "base/error.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/kernels/lane_sums.cuh"
#include "device/cuda/kernels/sample_vector.cuh"
#include "device/cuda/kernels/sparse_products.h"
#include "device/cuda/kernels/update.cuh"

namespace espalier::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarpLanes;

__device__ __forceinline__ bool nothingToDo(const GradientSink& sink) {
  return sink.gradient == nullptr && !sink.step->moveWeights;
}

/// The row that an entry belongs to, by a search in which each lane tries another place.
__device__ __forceinline__ int32_t rowOf(const SparseView& matrix, int32_t entry, int lane) {
  int32_t low = 0, high = matrix.blockRows;
  while (high - low > 1) {
    const int32_t step = (high - low + kWarpLanes - 1) / kWarpLanes;
    const int64_t probe = low + static_cast<int64_t>(lane) * step;
    const bool reached = probe < high && __ldg(matrix.offsets + probe) <= entry;
    low += (__popc(__ballot_sync(kWholeWarp, reached)) - 1) * step;
    high = min(low + step, high);
  }
  return low;
}

/// 1 x 1. A warp takes a run of entries, whatever their rows, 32 of one row at a time: kLanes lanes hold one
/// entry's samples, and each group of lanes makes kLanes dot products that are then added over the lanes, so
/// that one is left in each lane: lane i has the entry that it asked for itself.
template <typename Element, int kLanes>
__global__ __launch_bounds__(kThreads, 3) void gatherSddmmKernel(SparseView matrix,
                                                                 const Element* outputGradient,
                                                                 const Element* input, int32_t stride,
                                                                 int32_t runLength, GradientSink sink) {
  if (nothingToDo(sink)) return;
  constexpr int kSamples = kVectorSamples<Element>, kGroups = kWarpLanes / kLanes;
  constexpr int kAtOnce = kLanes < 4 ? kLanes : 4;
  const int lane = static_cast<int>(threadIdx.x) % kWarpLanes;
  const int group = lane / kLanes, vector = lane % kLanes;
  const int64_t warp = static_cast<int64_t>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kWarpLanes;
  if (warp * runLength >= matrix.entries) return;
  const auto end = static_cast<int32_t>(min((warp + 1) * runLength, static_cast<int64_t>(matrix.entries)));
  auto entry = static_cast<int32_t>(warp * runLength);
  int32_t row = rowOf(matrix, entry, lane);
  // The entry of the 32 that is this lane's: its group's, counted round the groups.
  const int own = vector * kGroups + group;
  while (entry < end) {
    while (__ldg(matrix.offsets + row + 1) <= entry) ++row;
    const int32_t count = min(min(end, __ldg(matrix.offsets + row + 1)) - entry, kWarpLanes);
    const int32_t column = own < count ? __ldg(matrix.indices + entry + own) : 0;
    float sums[kLanes] = {};
    for (int32_t sample = vector * kSamples; sample - vector * kSamples < stride;
         sample += kLanes * kSamples) {
      const bool present = sample < stride;
      float gradient[kSamples] = {};
      if (present) widen(loadVector(outputGradient + static_cast<int64_t>(row) * stride + sample), gradient);
#pragma unroll
      for (int first = 0; first < kLanes; first += kAtOnce) {
        if (first * kGroups < count) {
          uint4 bits[kAtOnce];
#pragma unroll
          for (int i = 0; i < kAtOnce; ++i) {
            const int32_t from = __shfl_sync(kWholeWarp, column, first + i, kLanes);
            bits[i] = make_uint4(0, 0, 0, 0);
            if (present && (first + i) * kGroups + group < count) {
              bits[i] = loadVector(input + static_cast<int64_t>(from) * stride + sample);
            }
          }
#pragma unroll
          for (int i = 0; i < kAtOnce; ++i) sums[first + i] = addProduct(sums[first + i], gradient, bits[i]);
        }
      }
    }
    addOverLanes<kLanes / 2, 1, kLanes>(sums, lane);
    if (own < count) settleGradient(sink, entry + own, sums[0]);
    entry += count;
  }
}

/// Blocks of any shape. A warp makes a tile of kOutputs x kInputs weights of one entry.
template <typename Element, int kOutputs, int kInputs>
__global__ __launch_bounds__(kThreads, 2) void gatherBlockSddmmKernel(SparseView matrix,
                                                                      const Element* outputGradient,
                                                                      const Element* input, int32_t stride,
                                                                      int32_t tilesDown, int32_t tilesAcross,
                                                                      GradientSink sink) {
  if (nothingToDo(sink)) return;
  constexpr int kSamples = kVectorSamples<Element>, kTile = kOutputs * kInputs;
  const int lane = static_cast<int>(threadIdx.x) % kWarpLanes;
  const int64_t warp = static_cast<int64_t>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kWarpLanes;
  const int64_t tiles = static_cast<int64_t>(tilesDown) * tilesAcross;
  if (warp >= tiles * matrix.entries) return;
  const auto entry = static_cast<int32_t>(warp / tiles);
  const auto tile = static_cast<int32_t>(warp % tiles);
  const int32_t firstOutput = tile / tilesAcross * kOutputs, firstInput = tile % tilesAcross * kInputs;
  const int64_t row = static_cast<int64_t>(rowOf(matrix, entry, lane)) * matrix.blockOutputs + firstOutput;
  const int64_t column =
      static_cast<int64_t>(__ldg(matrix.indices + entry)) * matrix.blockInputs + firstInput;

  // What a tile has beyond the block is made of the block's last output or input, and left.
  float sums[kTile] = {};
  for (int32_t sample = lane * kSamples; sample < stride; sample += kWarpLanes * kSamples) {
    uint4 inputs[kInputs];
#pragma unroll
    for (int k = 0; k < kInputs; ++k) {
      const int32_t within = min(k, matrix.blockInputs - 1 - firstInput);
      inputs[k] = loadVector(input + (column + within) * stride + sample);
    }
#pragma unroll
    for (int i = 0; i < kOutputs; ++i) {
      const int32_t within = min(i, matrix.blockOutputs - 1 - firstOutput);
      float gradient[kSamples];
      widen(loadVector(outputGradient + (row + within) * stride + sample), gradient);
#pragma unroll
      for (int k = 0; k < kInputs; ++k) {
        sums[i * kInputs + k] = addProduct(sums[i * kInputs + k], gradient, inputs[k]);
      }
    }
  }
  addOverLanes<kWarpLanes / 2, 1, kTile>(sums, lane);
  constexpr int kCopies = kWarpLanes / kTile;
  const int weight = lane / kCopies;
  const int32_t i = firstOutput + weight / kInputs, k = firstInput + weight % kInputs;
  if (lane % kCopies != 0 || i >= matrix.blockOutputs || k >= matrix.blockInputs) return;
  const int64_t place = matrix.valueIndex != nullptr ? matrix.valueIndex[entry] : entry;
  const int64_t at = place * matrix.blockOutputs * matrix.blockInputs +
                     static_cast<int64_t>(i) * matrix.outputStride +
                     static_cast<int64_t>(k) * matrix.inputStride;
  settleGradient(sink, at, sums[0]);
}

unsigned blocksFor(int64_t warps) {
  return static_cast<unsigned>(divideUp(warps, kWarps));
}

template <typename Element, int kLanes>
void gatherPlain(const Context& context, const SparseView& matrix, const Element* outputGradient,
                 const Element* input, int32_t stride, const GradientSink& sink) {
  // Enough warps to fill a card several times over, but runs that are worth the search for their first row.
  constexpr int64_t kManyWarps = 16384, kLongest = 256;
  const int64_t share = roundUp(divideUp(matrix.entries, kManyWarps), kWarpLanes);
  const auto runLength = static_cast<int32_t>(std::clamp<int64_t>(share, kWarpLanes, kLongest));
  launch(context, gatherSddmmKernel<Element, kLanes>,
         {blocksFor(divideUp(matrix.entries, runLength)), kThreads}, matrix, outputGradient, input, stride,
         runLength, sink);
}

template <typename Element, int kOutputs, int kInputs>
void gatherBlocks(const Context& context, const SparseView& matrix, const Element* outputGradient,
                  const Element* input, int32_t stride, const GradientSink& sink) {
  const auto down = static_cast<int32_t>(divideUp(matrix.blockOutputs, kOutputs));
  const auto across = static_cast<int32_t>(divideUp(matrix.blockInputs, kInputs));
  const int64_t warps = static_cast<int64_t>(down) * across * matrix.entries;
  launch(context, gatherBlockSddmmKernel<Element, kOutputs, kInputs>, {blocksFor(warps), kThreads}, matrix,
         outputGradient, input, stride, down, across, sink);
}

template <typename Element>
void gather(const Context& context, const SparseView& matrix, const Element* outputGradient,
            const Element* input, int32_t stride, const GradientSink& sink) {
  const int32_t vectors = stride / kVectorSamples<Element>;
  const auto run = [&](auto product) { product(context, matrix, outputGradient, input, stride, sink); };
  if (matrix.blockOutputs > 1) {
    run(matrix.blockInputs > 1 ? gatherBlocks<Element, 4, 4> : gatherBlocks<Element, 4, 1>);
  } else if (matrix.blockInputs > 1) {
    run(gatherBlocks<Element, 1, 4>);
  } else if (vectors <= 2) {
    run(gatherPlain<Element, 2>);
  } else if (vectors <= 8) {
    run(gatherPlain<Element, 8>);
  } else if (vectors <= 16) {
    run(gatherPlain<Element, 16>);
  } else {
    run(gatherPlain<Element, 32>);
  }
}

}  // namespace

void gatherSddmm(const Context& context, const SparseView& forward, Features outputGradient, Features input,
                 int32_t stride, const GradientSink& sink) {
  if (outputGradient.rounded != nullptr && input.rounded != nullptr) {
    gather(context, forward, outputGradient.rounded, input.rounded, stride, sink);
  } else {
    gather(context, forward, outputGradient.values, input.values, stride, sink);
  }
}

}  // namespace espalier::cuda
