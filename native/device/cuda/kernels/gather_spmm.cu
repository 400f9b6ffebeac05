#include <algorithm>

#include "base/error.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/kernels/lane_sums.cuh"
#include "device/cuda/kernels/sample_vector.cuh"
#include "device/cuda/kernels/sparse_products.h"

namespace espalier::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarpLanes;

/// Entries that a warp adds up, all of one row.
struct Run {
  int32_t begin;
  int32_t end;
};

/// What warp `warp` of a block adds where a row is split over all of them: whole warps' worth of entries, so
/// that loads stay whole lines.
__device__ __forceinline__ Run shareOf(Run row, int warp) {
  const int32_t share = static_cast<int32_t>(roundUp(divideUp(row.end - row.begin, kWarps), kWarpLanes));
  // In 64 bits: the last share may begin far beyond the row.
  const int64_t begin = row.begin + static_cast<int64_t>(warp) * share;
  return {static_cast<int32_t>(min(begin, static_cast<int64_t>(row.end))),
          static_cast<int32_t>(min(begin + share, static_cast<int64_t>(row.end)))};
}

/// 1 x 1: kLanes lanes hold one entry's input, the groups of a warp take turns at the entries.
template <typename Element, int kLanes, bool kIndirect>
struct PlainRows {
  static constexpr int kOutputs = 1;
  static constexpr int kSamples = kVectorSamples<Element>;
  using Groups = GroupSums<kLanes, kSamples>;
  using Sums = float[kOutputs][kSamples];

  const SparseView& matrix;
  const Element* input;  // at the lane's samples
  int32_t stride;
  bool present;
  int lane;

  __device__ __forceinline__ void load(Run run, int32_t first, int32_t& column, float& weight) const {
    column = 0;
    weight = 0;
    const int32_t entry = first + lane;
    if (entry >= run.end) return;
    column = __ldg(matrix.indices + entry);
    weight = __ldg(matrix.values + (kIndirect ? __ldg(matrix.valueIndex + entry) : entry));
  }

  __device__ __forceinline__ void addRun(Run run, Sums& sums) const {
    constexpr int kSteps = kLanes < 4 ? kLanes : 4;
    int32_t column = 0;
    float weight = 0;
    load(run, run.begin, column, weight);
    for (int32_t first = run.begin; first < run.end; first += kWarpLanes) {
      int32_t nextColumn = 0;
      float nextWeight = 0;
      if (first + kWarpLanes < run.end) load(run, first + kWarpLanes, nextColumn, nextWeight);
      const int32_t count = min(run.end - first, kWarpLanes);
#pragma unroll 1
      for (int step = 0; step * Groups::kGroups < count; step += kSteps) {
        uint4 bits[kSteps];
        float weights[kSteps];
#pragma unroll
        for (int i = 0; i < kSteps; ++i) {
          const int source = (step + i) * Groups::kGroups + lane / kLanes;
          const int32_t from = __shfl_sync(kWholeWarp, column, source);
          weights[i] = __shfl_sync(kWholeWarp, weight, source);
          bits[i] = make_uint4(0, 0, 0, 0);
          if (present && source < count) bits[i] = loadVector(input + static_cast<int64_t>(from) * stride);
        }
#pragma unroll
        for (int i = 0; i < kSteps; ++i) addScaled(sums[0], weights[i], bits[i]);
      }
      column = nextColumn;
      weight = nextWeight;
    }
  }
};

/// Blocks of any shape: every input that is loaded serves kOutputs outputs, those from `firstOutput` on of
/// the block row.
template <typename Element, int kLanes, int kBlockOutputs>
struct BlockRows {
  static constexpr int kOutputs = kBlockOutputs;
  static constexpr int kSamples = kVectorSamples<Element>;
  using Groups = GroupSums<kLanes, kSamples>;
  using Sums = float[kOutputs][kSamples];

  const SparseView& matrix;
  const Element* input;
  int32_t stride;
  bool present;
  int lane;
  int32_t firstOutput;

  __device__ __forceinline__ void addRun(Run run, Sums& sums) const {
    if (!present) return;
    const int64_t blockSize = static_cast<int64_t>(matrix.blockOutputs) * matrix.blockInputs;
    const int32_t outputs = matrix.blockOutputs - firstOutput;
    for (int32_t entry = run.begin + lane / kLanes; entry < run.end; entry += Groups::kGroups) {
      const int64_t place = matrix.valueIndex != nullptr ? matrix.valueIndex[entry] : entry;
      const float* weights =
          matrix.values + place * blockSize + static_cast<int64_t>(firstOutput) * matrix.outputStride;
      const Element* from = input + static_cast<int64_t>(matrix.indices[entry]) * matrix.blockInputs * stride;
      for (int32_t k = 0; k < matrix.blockInputs; ++k) {
        const uint4 bits = loadVector(from + static_cast<int64_t>(k) * stride);
        const float* column = weights + static_cast<int64_t>(k) * matrix.inputStride;
#pragma unroll
        for (int i = 0; i < kOutputs; ++i) {
          if (i < outputs)
            addScaled(sums[i], __ldg(column + static_cast<int64_t>(i) * matrix.outputStride), bits);
        }
      }
    }
  }
};

/// A block takes kWarps block rows of neighbouring length, a warp each, or, where they are long, all warps
/// take a share of each one and meet in shared memory. `firstRow` is the output of block row 0.
template <typename Rows>
__device__ __forceinline__ void addRows(const SparseView& matrix, const Rows& rows, float* output,
                                        int32_t stride, int32_t splitLength, int32_t firstOutput) {
  using Groups = typename Rows::Groups;
  __shared__ float shares[kWarps][Groups::kKept][kWarpLanes];
  const int warp = static_cast<int>(threadIdx.x) / kWarpLanes;
  const int lane = rows.lane;
  const int32_t firstPlace = static_cast<int32_t>(blockIdx.x) * kWarps;
  const auto runOf = [&](int32_t row) { return Run{matrix.offsets[row], matrix.offsets[row + 1]}; };
  const auto outputOf = [&](int32_t row, int i) {
    return output + (static_cast<int64_t>(row) * matrix.blockOutputs + firstOutput + i) * stride +
           Groups::first(lane);
  };
  const int32_t outputs = min(matrix.blockOutputs - firstOutput, Rows::kOutputs);
  const bool stores = rows.present && Groups::writes(lane);

  const Run longest = runOf(matrix.order[firstPlace]);
  const bool together = longest.end - longest.begin > splitLength;
  const int32_t end = min(firstPlace + kWarps, matrix.blockRows);
  for (int32_t place = together ? firstPlace : firstPlace + warp; place < end;
       place += together ? 1 : kWarps) {
    const int32_t row = matrix.order[place];
    typename Rows::Sums sums = {};
    rows.addRun(together ? shareOf(runOf(row), warp) : runOf(row), sums);
#pragma unroll
    for (int i = 0; i < Rows::kOutputs; ++i) {
      Groups::add(sums[i], lane);
      if (together) {
#pragma unroll
        for (int k = 0; k < Groups::kKept; ++k) shares[warp][k][lane] = sums[i][k];
        __syncthreads();
        if (warp == 0) {
          for (int other = 1; other < kWarps; ++other) {
#pragma unroll
            for (int k = 0; k < Groups::kKept; ++k) sums[i][k] += shares[other][k][lane];
          }
        }
        __syncthreads();
      }
      if (stores && i < outputs && (warp == 0 || !together)) Groups::store(outputOf(row, i), sums[i]);
    }
  }
}

/// The lane's first sample, of the slice that the block works on.
template <typename Element, int kLanes>
__device__ __forceinline__ int32_t sampleOf(int lane) {
  return (static_cast<int32_t>(blockIdx.y) * kLanes + lane % kLanes) * kVectorSamples<Element>;
}

template <typename Element, int kLanes, bool kIndirect>
__global__ __launch_bounds__(kThreads, 4) void gatherSpmmKernel(SparseView matrix, const Element* input,
                                                                float* output, int32_t stride,
                                                                int32_t splitLength) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpLanes;
  const int32_t sample = sampleOf<Element, kLanes>(lane);
  const PlainRows<Element, kLanes, kIndirect> rows{matrix, input + sample, stride, sample < stride, lane};
  addRows(matrix, rows, output + sample, stride, splitLength, 0);
}

template <typename Element, int kLanes, int kOutputs>
__global__ __launch_bounds__(kThreads, kOutputs > 4 ? 2 : 3) void gatherBlockSpmmKernel(
    SparseView matrix, const Element* input, float* output, int32_t stride, int32_t splitLength) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpLanes;
  const int32_t sample = sampleOf<Element, kLanes>(lane);
  const int32_t firstOutput = static_cast<int32_t>(blockIdx.z) * kOutputs;
  const BlockRows<Element, kLanes, kOutputs> rows{matrix,          input + sample, stride,
                                                  sample < stride, lane,           firstOutput};
  addRows(matrix, rows, output + sample, stride, splitLength, firstOutput);
}

/// The work of a warp above which a row is shared by a block: several times the mean, so that no warp is the
/// last for long, but next to nothing where there are too few rows to fill a card.
int32_t splitLengthOf(const SparseView& matrix, int64_t warps) {
  constexpr int64_t kManyWarps = 2048;
  constexpr int32_t kFew = 64, kLong = 256;
  if (warps < kManyWarps) return kFew;
  const int64_t mean = matrix.entries / matrix.blockRows;
  return static_cast<int32_t>(std::max<int64_t>(kLong, std::min<int64_t>(4 * mean, matrix.entries)));
}

template <typename Element, int kLanes>
void gatherWith(const Context& context, const SparseView& matrix, const Element* input, float* output,
                int32_t stride) {
  const auto rows = static_cast<unsigned>(divideUp(matrix.blockRows, kWarps));
  const auto slices = static_cast<unsigned>(divideUp(stride, kLanes * kVectorSamples<Element>));
  const int32_t splitLength = splitLengthOf(matrix, static_cast<int64_t>(rows) * kWarps * slices);
  const auto run = [&](auto kernel, int outputs) {
    const auto tiles = static_cast<unsigned>(divideUp(matrix.blockOutputs, outputs));
    launch(context, kernel, {dim3(rows, slices, tiles), kThreads}, matrix, input, output, stride,
           splitLength);
  };
  if (matrix.blockOutputs == 1 && matrix.blockInputs == 1) {
    if (matrix.valueIndex != nullptr) {
      run(gatherSpmmKernel<Element, kLanes, true>, 1);
    } else {
      run(gatherSpmmKernel<Element, kLanes, false>, 1);
    }
  } else if (matrix.blockOutputs == 1) {
    run(gatherBlockSpmmKernel<Element, kLanes, 1>, 1);
  } else if (matrix.blockOutputs <= 4) {
    run(gatherBlockSpmmKernel<Element, kLanes, 4>, 4);
  } else {
    run(gatherBlockSpmmKernel<Element, kLanes, 8>, 8);
  }
}

template <typename Element>
void gather(const Context& context, const SparseView& matrix, const Element* input, float* output,
            int32_t stride) {
  const int32_t vectors = stride / kVectorSamples<Element>;
  if (vectors <= 2) {
    gatherWith<Element, 2>(context, matrix, input, output, stride);
  } else if (vectors <= 8) {
    gatherWith<Element, 8>(context, matrix, input, output, stride);
  } else if (vectors <= 16) {
    gatherWith<Element, 16>(context, matrix, input, output, stride);
  } else {
    gatherWith<Element, 32>(context, matrix, input, output, stride);
  }
}

}  // namespace

void gatherSpmm(const Context& context, const SparseView& matrix, Features input, float* output,
                int32_t stride) {
  if (input.rounded != nullptr) {
    gather(context, matrix, input.rounded, output, stride);
  } else {
    gather(context, matrix, input.values, output, stride);
  }
}

}  // namespace espalier::cuda
