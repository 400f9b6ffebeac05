#include <algorithm>
#include <limits>

#include "base/error.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/base/shared_memory.cuh"
#include "device/cuda/kernels/sparse_products.h"
#include "device/cuda/kernels/staged_input.cuh"

namespace espalier::cuda {
namespace {

/// Wider slices keep more sums in registers.
template <int kParts>
constexpr int kThreads = kParts == 1 ? 1024 : 768;
/// Kernels for blocks keep more sums in registers.
constexpr int kBlockThreads = 512;

/// Deals places out to players, back and forth, so that nobody always gets the longer row: the place of the
/// player's turn number `turn`.
__device__ __forceinline__ int32_t dealt(int32_t turn, int32_t player, int32_t players) {
  return turn * players + (turn % 2 == 0 ? player : players - 1 - player);
}

/// Walks over the stages of one slice of samples, with the next stage on its way while one is worked on, and
/// calls visit(rows of 1 .. 32 turns, their number, the stage's number, base) in every warp: the sample
/// vectors of block column k begin at shared + base + k x blockInputs x bytes of a feature.
template <typename Element, int kParts, int kBlockSize, typename Visit>
__device__ __forceinline__ void overStages(const SparseView& matrix, const ChunkOffsets& chunks,
                                           const StagePlan& plan, const Element* input, int32_t stride,
                                           unsigned char* shared, const Visit& visit) {
  constexpr int kWarps = kBlockSize / kWarpLanes;
  const auto slice = static_cast<int32_t>(blockIdx.x);
  const auto group = static_cast<int32_t>(blockIdx.y), groups = static_cast<int32_t>(gridDim.y);
  const int warp = static_cast<int>(threadIdx.x) / kWarpLanes;
  const int lane = static_cast<int>(threadIdx.x) % kWarpLanes;
  const int32_t stageColumns = plan.chunksPerStage * chunks.chunkColumns;
  const int32_t turns = (matrix.blockRows + groups * kWarps - 1) / (groups * kWarps);
  const auto begin = [&](int32_t stage) {
    const int32_t first = stage * stageColumns;
    stageInput<Element, kParts, kBlockSize>(matrix, first, min(first + stageColumns, matrix.blockColumns),
                                            input, stride, slice, shared + stage % 2 * plan.slotBytes);
    commitCopies();
  };
  begin(0);
  for (int32_t stage = 0; stage < plan.stages; ++stage) {
    if (stage + 1 < plan.stages) {
      begin(stage + 1);
      waitForCopies<1>();
    } else {
      waitForCopies<0>();
    }
    __syncthreads();
    const int32_t firstChunk = stage * plan.chunksPerStage;
    const int32_t endChunk = min(firstChunk + plan.chunksPerStage, chunks.chunks);
    const int32_t base =
        stage % 2 * plan.slotBytes - stage * stageColumns * matrix.blockInputs * kParts * kStagedBytes;
    for (int32_t turn = 0; turn < turns; turn += kWarpLanes) {
      const int32_t place = dealt(dealt(turn + lane, warp, kWarps), group, groups);
      const StagedRow rows = StagedRow::at(place, matrix, chunks, firstChunk, endChunk);
      visit(rows, min(turns - turn, kWarpLanes), stage, base);
    }
    __syncthreads();
  }
}

/// Adds what one stage gives to a row's sums; the first stage writes. Each group of lanes comes with the sums
/// of its entries.
template <typename Element>
struct RowOutput {
  static constexpr int kSamples = kVectorSamples<Element>;
  using Groups = GroupSums<kStagedLanes, kSamples>;

  float* output;  // at the first sample that the lane keeps
  bool stores;

  /// What earlier stages gave; asked for before the sums are made, so that it is there when they are.
  __device__ __forceinline__ void load(bool first, float (&before)[Groups::kKept]) const {
#pragma unroll
    for (int i = 0; i < Groups::kKept; ++i) before[i] = stores && !first ? output[i] : 0.0f;
  }
  __device__ __forceinline__ void store(const float (&before)[Groups::kKept], float (&sums)[kSamples],
                                        int lane) const {
    Groups::add(sums, lane);
#pragma unroll
    for (int i = 0; i < Groups::kKept; ++i) sums[i] += before[i];
    if (stores) Groups::store(output, sums);
  }
};

/// The entries of 1 x 1 matrices, four at a time where they are aligned to 16 bytes.
template <bool kIndirect>
struct Weights {
  const SparseView& matrix;

  __device__ __forceinline__ float one(int32_t entry) const {
    return __ldg(matrix.values + (kIndirect ? __ldg(matrix.valueIndex + entry) : entry));
  }
  __device__ __forceinline__ float4 four(int32_t quad) const {
    if constexpr (kIndirect) {
      const int4 places = __ldg(reinterpret_cast<const int4*>(matrix.valueIndex) + quad);
      return make_float4(__ldg(matrix.values + places.x), __ldg(matrix.values + places.y),
                         __ldg(matrix.values + places.z), __ldg(matrix.values + places.w));
    } else {
      return __ldg(reinterpret_cast<const float4*>(matrix.values) + quad);
    }
  }
};

/// 1 x 1. A warp adds up one row: its four groups of lanes take turns at aligned fours of entries, and share
/// the few entries before the first four and after the last.
template <typename Element, int kParts, bool kIndirect>
__global__ __launch_bounds__(kThreads<kParts>,
                             1) void stagedSpmmKernel(SparseView matrix, ChunkOffsets chunks, StagePlan plan,
                                                      const Element* input, float* output, int32_t stride) {
  using Output = RowOutput<Element>;
  constexpr int kSamples = Output::kSamples, kGroups = Output::Groups::kGroups,
                kBytes = kParts * kStagedBytes;
  const auto shared = dynamicShared<unsigned char>();
  const int lane = static_cast<int>(threadIdx.x) % kWarpLanes;
  const int group = lane / kStagedLanes, vector = lane % kStagedLanes;
  const int32_t sample =
      static_cast<int32_t>(blockIdx.x) * kSliceSamples<Element, kParts> + vector * kSamples;
  const Weights<kIndirect> weights{matrix};

  overStages<Element, kParts, kThreads<kParts>>(
      matrix, chunks, plan, input, stride, shared,
      [&](const StagedRow& rows, int32_t count, int32_t stage, int32_t stageBase) {
        // Where block column 0 would be.
        const unsigned char* from = shared + (stageBase + vector * 16);
#pragma unroll 1
        for (int32_t turn = 0; turn < count; ++turn) {
          const StagedRow mine = rows.in(turn);
          if (mine.row < 0 || (mine.begin == mine.end && stage > 0)) continue;
          float sums[kParts][kSamples] = {}, before[kParts][Output::Groups::kKept];
          Output outputs[kParts];
#pragma unroll
          for (int part = 0; part < kParts; ++part) {
            const int32_t at = sample + part * kStagedLanes * kSamples;
            outputs[part] = {
                output + static_cast<int64_t>(mine.row) * stride + at + Output::Groups::first(lane),
                at < stride && Output::Groups::writes(lane)};
            outputs[part].load(stage == 0, before[part]);
          }
          const auto add = [&](int32_t column, float weight) {
#pragma unroll
            for (int part = 0; part < kParts; ++part) {
              addScaled(sums[part], weight,
                        *reinterpret_cast<const uint4*>(from + column * kBytes + part * kStagedBytes));
            }
          };
          const int32_t head = min(static_cast<int32_t>(roundUp(mine.begin, 4)), mine.end);
          const int32_t tail = max(head, mine.end / 4 * 4);
          const int32_t early = head - mine.begin, odd = early + mine.end - tail;
#pragma unroll 1
          for (int32_t i = group; i < odd; i += kGroups) {
            const int32_t entry = i < early ? mine.begin + i : tail + i - early;
            add(__ldg(matrix.indices + entry), weights.one(entry));
          }
          int32_t quad = head / 4 + group;
          const int32_t endQuad = tail / 4;
          int4 columns = make_int4(0, 0, 0, 0);
          float4 four = make_float4(0, 0, 0, 0);
          const auto load = [&] {
            if (quad >= endQuad) return;
            columns = __ldg(reinterpret_cast<const int4*>(matrix.indices) + quad);
            four = weights.four(quad);
          };
          load();
#pragma unroll 1
          for (; quad < endQuad;) {
            const int4 c = columns;
            const float4 w = four;
            quad += kGroups;
            load();
            add(c.x, w.x);
            add(c.y, w.y);
            add(c.z, w.z);
            add(c.w, w.w);
          }
#pragma unroll
          for (int part = 0; part < kParts; ++part) outputs[part].store(before[part], sums[part], lane);
        }
      });
}

/// Blocks of any shape: every input that is read serves kOutputs outputs of a block row.
template <typename Element, int kOutputs>
__global__ __launch_bounds__(kBlockThreads, 1) void stagedBlockSpmmKernel(SparseView matrix,
                                                                          ChunkOffsets chunks, StagePlan plan,
                                                                          const Element* input, float* output,
                                                                          int32_t stride) {
  using Output = RowOutput<Element>;
  constexpr int kSamples = Output::kSamples, kGroups = Output::Groups::kGroups;
  const auto shared = dynamicShared<unsigned char>();
  const int lane = static_cast<int>(threadIdx.x) % kWarpLanes;
  const int group = lane / kStagedLanes, vector = lane % kStagedLanes;
  const int32_t sample = static_cast<int32_t>(blockIdx.x) * kSliceSamples<Element, 1> + vector * kSamples;
  const bool stores = sample < stride && Output::Groups::writes(lane);
  const int64_t blockSize = static_cast<int64_t>(matrix.blockOutputs) * matrix.blockInputs;

  const auto addRow = [&](const StagedRow& mine, bool first, int32_t base, int32_t firstOutput) {
    float sums[kOutputs][kSamples] = {};
    for (int32_t entry = mine.begin + group; entry < mine.end; entry += kGroups) {
      const int64_t place = matrix.valueIndex != nullptr ? matrix.valueIndex[entry] : entry;
      const float* weights =
          matrix.values + place * blockSize + static_cast<int64_t>(firstOutput) * matrix.outputStride;
      const unsigned char* from = shared + (matrix.indices[entry] * matrix.blockInputs * kStagedBytes + base);
      for (int32_t k = 0; k < matrix.blockInputs; ++k) {
        const uint4 bits = *reinterpret_cast<const uint4*>(from + k * kStagedBytes);
        const float* column = weights + static_cast<int64_t>(k) * matrix.inputStride;
#pragma unroll
        for (int i = 0; i < kOutputs; ++i) {
          if (firstOutput + i < matrix.blockOutputs) {
            addScaled(sums[i], __ldg(column + static_cast<int64_t>(i) * matrix.outputStride), bits);
          }
        }
      }
    }
#pragma unroll
    for (int i = 0; i < kOutputs; ++i) {
      const int64_t row = static_cast<int64_t>(mine.row) * matrix.blockOutputs + firstOutput + i;
      const Output at{output + row * stride + sample + Output::Groups::first(lane),
                      stores && firstOutput + i < matrix.blockOutputs};
      float before[Output::Groups::kKept];
      at.load(first, before);
      at.store(before, sums[i], lane);
    }
  };
  overStages<Element, 1, kBlockThreads>(
      matrix, chunks, plan, input, stride, shared,
      [&](const StagedRow& rows, int32_t count, int32_t stage, int32_t stageBase) {
        for (int32_t turn = 0; turn < count; ++turn) {
          const StagedRow mine = rows.in(turn);
          if (mine.row < 0 || (mine.begin == mine.end && stage > 0)) continue;
          for (int32_t firstOutput = 0; firstOutput < matrix.blockOutputs; firstOutput += kOutputs) {
            addRow(mine, stage == 0, stageBase + vector * 16, firstOutput);
          }
        }
      });
}

/// How a product is laid out on the card, and the bytes that it moves beyond the gathering itself.
struct Layout {
  unsigned slices = 0;
  unsigned groups = 0;
  StagePlan plan;
  int64_t bytes = 0;
};

/// Into how many groups rows are divided. A multiprocessor holds one block, so that blocks come in waves; a
/// block stages the whole input, and gathers its share of the entries. A few waves may be fuller than one.
int64_t groupsOf(const Card& card, const SparseView& matrix, int64_t slices) {
  constexpr int64_t kWavesAtMost = 4;
  /// Of a feature from the second-level cache, in features from shared memory.
  constexpr double kStagingCost = 4;
  const double staged = kStagingCost * matrix.blockColumns, gathered = matrix.entries;
  const int64_t most =
      std::min({kWavesAtMost * card.multiprocessors / slices, int64_t{matrix.blockRows}, int64_t{65535}});
  int64_t best = 1;
  double bestTime = std::numeric_limits<double>::infinity();
  for (int64_t groups = 1; groups <= most; ++groups) {
    const auto waves = static_cast<double>(divideUp(groups * slices, card.multiprocessors));
    const double time = waves * (staged + gathered / static_cast<double>(groups));
    // Of equals the fewer.
    if (time < 0.999 * bestTime) {
      best = groups;
      bestTime = time;
    }
  }
  return best;
}

/// Two slots share the shared memory; there are two stages even where one would do, so that the copies of one
/// hide behind the work on the other. No chunk of the plan fits where chunksPerStage is 0.
template <typename Element, int kParts>
Layout layOut(const Card& card, const SparseView& matrix, const ChunkOffsets& chunks, int32_t stride) {
  Layout layout;
  const int64_t fitting = chunksThatFit(card.sharedBytesPerBlock, matrix, chunks, kParts * kStagedBytes);
  if (fitting == 0) {
    layout.plan.chunksPerStage = 0;
    return layout;
  }
  const int64_t stages = std::max(divideUp(chunks.chunks, fitting), std::min<int64_t>(2, chunks.chunks));
  const int64_t chunksPerStage = divideUp(chunks.chunks, stages);
  layout.plan.chunksPerStage = static_cast<int32_t>(chunksPerStage);
  layout.plan.stages = static_cast<int32_t>(divideUp(chunks.chunks, chunksPerStage));
  layout.plan.slotBytes =
      static_cast<int32_t>(chunksPerStage * chunks.chunkColumns * matrix.blockInputs * kParts * kStagedBytes);
  const int64_t slices = divideUp(stride, kSliceSamples<Element, kParts>);
  const int64_t groups = groupsOf(card, matrix, slices);
  layout.slices = static_cast<unsigned>(slices);
  layout.groups = static_cast<unsigned>(groups);
  const int64_t sampleBytes = static_cast<int64_t>(sizeof(Element)) * stride;
  layout.bytes = groups * matrix.blockColumns * matrix.blockInputs * sampleBytes +
                 slices * matrix.entries * 8 +
                 (2 * layout.plan.stages - 1) * int64_t{4} * matrix.blockRows * matrix.blockOutputs * stride;
  return layout;
}

template <typename Element>
void staged(const Context& context, const SparseView& matrix, const ChunkOffsets& chunks,
            const Element* input, Features features, float* output, int32_t stride) {
  const Layout narrow = layOut<Element, 1>(context.card, matrix, chunks, stride);
  const Layout wide = layOut<Element, 2>(context.card, matrix, chunks, stride);
  const auto run = [&](auto kernel, const Layout& layout, unsigned threads) {
    const int64_t slots = std::min(layout.plan.stages, 2);
    launch(context, kernel, {dim3(layout.slices, layout.groups), threads, slots * layout.plan.slotBytes},
           matrix, chunks, layout.plan, input, output, stride);
  };
  const bool indirect = matrix.valueIndex != nullptr;
  if (narrow.plan.chunksPerStage == 0) {
    // Blocks with hundreds of inputs, or millions of columns.
    gatherSpmm(context, matrix, features, output, stride);
  } else if (matrix.blockOutputs > 1) {
    run(stagedBlockSpmmKernel<Element, 4>, narrow, kBlockThreads);
  } else if (matrix.blockInputs > 1) {
    run(stagedBlockSpmmKernel<Element, 1>, narrow, kBlockThreads);
  } else if (!indirect && wide.plan.chunksPerStage > 0 && wide.bytes < narrow.bytes) {
    run(stagedSpmmKernel<Element, 2, false>, wide, kThreads<2>);
  } else {
    run(indirect ? stagedSpmmKernel<Element, 1, true> : stagedSpmmKernel<Element, 1, false>, narrow,
        kThreads<1>);
  }
}

}  // namespace

int32_t stagedChunkColumns(const Card& card, int32_t blockInputs, bool rounded) {
  // Two slots of the widest slices that a product stages, of 128 samples; narrower ones take several chunks.
  const int64_t parts = rounded ? 2 : 4;
  const int64_t columns = card.sharedBytesPerBlock / (2 * parts * kStagedBytes * blockInputs);
  return static_cast<int32_t>(std::max<int64_t>(1, columns));
}

void stagedSpmm(const Context& context, const SparseView& matrix, const ChunkOffsets& chunks, Features input,
                float* output, int32_t stride) {
  if (input.rounded != nullptr) {
    staged(context, matrix, chunks, input.rounded, input, output, stride);
  } else {
    staged(context, matrix, chunks, input.values, input, output, stride);
  }
}

}  // namespace espalier::cuda
