#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/base/shared_memory.cuh"
#include "device/cuda/kernels/sparse_products.h"
#include "device/cuda/kernels/staged_input.cuh"
#include "device/cuda/kernels/update.cuh"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 768;
constexpr int kWarps = kThreads / kWarpLanes;
/// Samples of the widest slice, of float32 and bfloat16 alike.
constexpr int32_t kWidestSlice = 128;

/// The work is every row in every stage, stage by stage. Each block takes a stretch of it, about as long in
/// columns x rows as any other's, which may begin and end within a stage.
struct Stretch {
  int32_t firstStage, firstPlace;
  /// Places of endStage before endPlace belong to it.
  int32_t endStage, endPlace;
};

/// Where a stretch begins that has `before` columns x rows before it.
__device__ __forceinline__ void findStage(const SparseView& matrix, int32_t stageColumns, int64_t before,
                                          int32_t& stage, int32_t& place) {
  const int64_t stageWork = static_cast<int64_t>(stageColumns) * matrix.blockRows;
  stage = static_cast<int32_t>(before / stageWork);
  const int32_t columns = min(stageColumns, matrix.blockColumns - stage * stageColumns);
  place = columns > 0 ? static_cast<int32_t>(before % stageWork / columns) : 0;
}

__device__ __forceinline__ Stretch stretchOf(const SparseView& matrix, int32_t stageColumns) {
  const int64_t work = static_cast<int64_t>(matrix.blockColumns) * matrix.blockRows;
  const int64_t begin = work * blockIdx.x / gridDim.x, end = work * (blockIdx.x + 1) / gridDim.x;
  Stretch stretch;
  findStage(matrix, stageColumns, begin, stretch.firstStage, stretch.firstPlace);
  findStage(matrix, stageColumns, end, stretch.endStage, stretch.endPlace);
  return stretch;
}

/// 1 x 1. A warp takes 32 entries of a row in a stage at a time: 8 lanes hold the samples of the output's
/// gradient and make 8 dot products, which are then added over the lanes, so that one is left in each lane:
/// lane i has the entry that it asked for itself. Sums over the slices meet in `partial`, always in the same
/// lane of the same warp. `spread` takes neighbouring places far apart in the order of the rows.
template <typename Element, int kParts>
__global__ __launch_bounds__(kThreads,
                             1) void stagedSddmmKernel(SparseView matrix, ChunkOffsets chunks, StagePlan plan,
                                                       const Element* outputGradient, const Element* input,
                                                       int32_t stride, int32_t spread, float* partial,
                                                       GradientSink sink) {
  if (sink.gradient == nullptr && !sink.step->moveWeights) return;
  constexpr int kSamples = kVectorSamples<Element>, kSlice = kSliceSamples<Element, kParts>;
  constexpr int kBytes = kParts * kStagedBytes, kGroups = kWarpLanes / kStagedLanes;
  const auto shared = dynamicShared<unsigned char>();
  const int warp = static_cast<int>(threadIdx.x) / kWarpLanes,
            lane = static_cast<int>(threadIdx.x) % kWarpLanes;
  const int group = lane / kStagedLanes, vector = lane % kStagedLanes;
  // The entry of the 32 that is this lane's: its group's, counted round the groups.
  const int own = vector * kGroups + group;
  const int32_t slices = (stride + kSlice - 1) / kSlice;
  const int32_t stageColumns = plan.chunksPerStage * chunks.chunkColumns;
  const Stretch stretch = stretchOf(matrix, stageColumns);
  const int32_t endStage = stretch.endStage + (stretch.endPlace > 0 ? 1 : 0);

  const auto begin = [&](int32_t stage, int32_t slice, int slot) {
    const int32_t first = stage * stageColumns;
    stageInput<Element, kParts, kThreads>(matrix, first, min(first + stageColumns, matrix.blockColumns),
                                          input, stride, slice, shared + slot * plan.slotBytes);
    commitCopies();
  };
  const auto addRow = [&](const StagedRow& mine, int32_t slice, int32_t base) {
    float gradient[kParts][kSamples] = {};
    const int32_t sample = slice * kSlice + vector * kSamples;
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      const int32_t at = sample + part * kStagedLanes * kSamples;
      if (at < stride) {
        widen(loadVector(outputGradient + static_cast<int64_t>(mine.row) * stride + at), gradient[part]);
      }
    }
#pragma unroll 1
    for (int32_t entry = mine.begin; entry < mine.end; entry += kWarpLanes) {
      const int32_t count = min(mine.end - entry, kWarpLanes);
      const bool holds = own < count;
      const float before = holds && slice > 0 ? partial[entry + own] : 0.0f;
      const int32_t offset = holds ? __ldg(matrix.indices + entry + own) * kBytes + base : 0;
      float sums[kStagedLanes] = {};
#pragma unroll
      for (int i = 0; i < kStagedLanes; ++i) {
        if (i * kGroups < count) {
          const int32_t from = __shfl_sync(kWholeWarp, offset, i, kStagedLanes);
          const bool present = i * kGroups + group < count;
#pragma unroll
          for (int part = 0; part < kParts; ++part) {
            uint4 bits = make_uint4(0, 0, 0, 0);
            if (present)
              bits = *reinterpret_cast<const uint4*>(shared + from + vector * 16 + part * kStagedBytes);
            sums[i] = addProduct(sums[i], gradient[part], bits);
          }
        }
      }
      addOverLanes<kStagedLanes / 2, 1, kStagedLanes>(sums, lane);
      if (!holds) continue;
      if (slice + 1 < slices) {
        partial[entry + own] = before + sums[0];
      } else {
        settleGradient(sink, entry + own, before + sums[0]);
      }
    }
  };

  int32_t stage = stretch.firstStage, slice = 0;
  int slot = 0;
  if (stage < endStage) begin(stage, slice, slot);
  while (stage < endStage) {
    const bool lastSlice = slice + 1 == slices;
    const int32_t nextStage = stage + (lastSlice ? 1 : 0), nextSlice = lastSlice ? 0 : slice + 1;
    if (nextStage < endStage) {
      begin(nextStage, nextSlice, 1 - slot);
      waitForCopies<1>();
    } else {
      waitForCopies<0>();
    }
    __syncthreads();
    const int32_t firstChunk = stage * plan.chunksPerStage;
    const int32_t endChunk = min(firstChunk + plan.chunksPerStage, chunks.chunks);
    const int32_t firstPlace = stage == stretch.firstStage ? stretch.firstPlace : 0;
    const int32_t endPlace = stage == stretch.endStage ? stretch.endPlace : matrix.blockRows;
    const int32_t base = slot * plan.slotBytes - stage * stageColumns * kBytes;
    for (int32_t first = firstPlace + warp; first < endPlace; first += kThreads) {
      const int64_t place = first + static_cast<int64_t>(lane) * kWarps;
      const StagedRow rows =
          StagedRow::at(place < endPlace ? place * spread % matrix.blockRows : matrix.blockRows, matrix,
                        chunks, firstChunk, endChunk);
      const int32_t count = min((endPlace - first + kWarps - 1) / kWarps, kWarpLanes);
#pragma unroll 1
      for (int32_t i = 0; i < count; ++i) {
        const StagedRow mine = rows.in(i);
        if (mine.begin < mine.end) addRow(mine, slice, base);
      }
    }
    __syncthreads();
    stage = nextStage;
    slice = nextSlice;
    slot = 1 - slot;
  }
}

/// A step without a common divisor with `rows`, near the golden section of them: any stretch of its multiples
/// lies evenly in 0 .. rows - 1.
int32_t spreadOf(int32_t rows) {
  auto spread = static_cast<int32_t>(std::lround(0.618034 * rows));
  spread = std::max(spread, 1);
  while (std::gcd(spread, rows) != 1) ++spread;
  return spread;
}

template <typename Element, int kParts>
bool run(const Context& context, const SparseView& matrix, const ChunkOffsets& chunks,
         const Element* outputGradient, const Element* input, int32_t stride, float* partial,
         const GradientSink& sink) {
  const int64_t fitting =
      chunksThatFit(context.card.sharedBytesPerBlock, matrix, chunks, kParts * kStagedBytes);
  if (fitting == 0) return false;
  // About as many stages as shares of the rows, so that both operands come from the cache equally often.
  const double balanced = std::sqrt(static_cast<double>(context.card.multiprocessors));
  StagePlan plan;
  plan.chunksPerStage =
      static_cast<int32_t>(std::clamp<int64_t>(std::lround(chunks.chunks / balanced), 1, fitting));
  plan.stages = static_cast<int32_t>(divideUp(chunks.chunks, plan.chunksPerStage));
  plan.slotBytes = plan.chunksPerStage * chunks.chunkColumns * kParts * kStagedBytes;
  const auto blocks = static_cast<unsigned>(
      std::min<int64_t>(context.card.multiprocessors, int64_t{matrix.blockRows} * plan.stages));
  launch(context, stagedSddmmKernel<Element, kParts>, {blocks, kThreads, int64_t{2} * plan.slotBytes}, matrix,
         chunks, plan, outputGradient, input, stride, spreadOf(matrix.blockRows), partial, sink);
  return true;
}

bool staged(const Context& context, const SparseView& matrix, const ChunkOffsets& chunks,
            Features outputGradient, Features input, int32_t stride, float* partial,
            const GradientSink& sink) {
  const auto with = [&](auto product, auto* gradient, auto* values) {
    return product(context, matrix, chunks, gradient, values, stride, partial, sink);
  };
  if (outputGradient.rounded != nullptr && input.rounded != nullptr) {
    return with(stride <= 64 ? run<__nv_bfloat16, 1> : run<__nv_bfloat16, 2>, outputGradient.rounded,
                input.rounded);
  }
  const auto product = stride <= 32 ? run<float, 1> : stride <= 64 ? run<float, 2> : run<float, 4>;
  return with(product, outputGradient.values, input.values);
}

}  // namespace

int64_t stagedSddmmScratch(const Card&, const SparseView& forward, int32_t stride) {
  return stride > kWidestSlice ? forward.entries : 0;
}

void stagedSddmm(const Context& context, const SparseView& forward, const ChunkOffsets& chunks,
                 Features outputGradient, Features input, int32_t stride, float* partial,
                 const GradientSink& sink) {
  const bool plain = forward.blockOutputs == 1 && forward.blockInputs == 1;
  if (!plain || !staged(context, forward, chunks, outputGradient, input, stride, partial, sink)) {
    gatherSddmm(context, forward, outputGradient, input, stride, sink);
  }
}

}  // namespace espalier::cuda
