#include "base/error.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/kernels/block_operands.cuh"
#include "device/cuda/kernels/block_products.h"
#include "device/cuda/kernels/update.cuh"

namespace espalier::cuda {
namespace {

constexpr uint32_t kAllLanes = 0xFFFFFFFFu;
constexpr int kWarps = 8;
constexpr int kBlocksPerMultiprocessor = 2;

/// The block row of an entry, by the whole warp: 32 rows are looked at in each round.
__device__ __forceinline__ int32_t rowOfEntry(const SparseView& matrix, int32_t entry) {
  const auto lane = static_cast<int32_t>(threadIdx.x % 32);
  int32_t first = 0, size = matrix.blockRows;
  while (size > 1) {
    const int32_t step = (size - 1) / 32 + 1;
    const bool begun = lane * step < size && __ldg(matrix.offsets + first + lane * step) <= entry;
    // Offsets ascend and the first one is not beyond the entry, so the lanes that say yes are the first ones.
    const int32_t last = __popc(__ballot_sync(kAllLanes, begun)) - 1;
    first += last * step;
    size = min(step, size - last * step);
  }
  return first;
}

/// The gradient of one entry over a part of the samples, transposed (inputs x outputs), in one warp.
template <typename Operands, int kBlock>
class EntryGradient {
 public:
  using Element = typename Operands::Element;
  /// Rows of the matrix units' tiles are inputs; with 8 of them the lower half stays zero.
  static constexpr int kInputTiles = (kBlock + 15) / 16;
  static constexpr int kOutputTiles = kBlock / 8;
  /// Samples of a chunk: each lane has 16 bytes of a row.
  static constexpr int kChunk = 4 * Operands::kLaneSamples;
  /// Chunks of a stage: 4 KB of operands for any block.
  static constexpr int kChunks = 32 / kBlock;
  /// Floats of a line of the tile in shared memory: lanes of a warp meet different banks.
  static constexpr int kLine = kBlock + 4;

  struct Stage {
    Words inputs[kChunks][kBlock / 8];
    Words outputs[kChunks][kBlock / 8];
  };

  /// input, outputGradient: at the block's first row and the first sample of the part.
  __device__ EntryGradient(const Element* outputGradient, const Element* input, int32_t stride)
      : lane_(static_cast<int32_t>(threadIdx.x % 32)),
        eightRows_(int64_t{8} * stride * static_cast<int64_t>(sizeof(Element))) {
    const int64_t offset = int64_t{lane_ / 4} * stride + lane_ % 4 * Operands::kLaneSamples;
    input_ = reinterpret_cast<const char*>(input + offset);
    outputGradient_ = reinterpret_cast<const char*>(outputGradient + offset);
  }

  /// Sums over the next `samples`.
  __device__ __forceinline__ void sum(int32_t samples) {
    constexpr int32_t kStage = kChunks * kChunk;
    if (samples <= 0) return;
    Stage current, next;
    fetch(samples, current);
    for (; samples > 0; samples -= 2 * kStage) {
      if (samples > kStage) fetch(samples - kStage, next);
      multiply(current);
      if (samples <= kStage) break;
      if (samples > 2 * kStage) fetch(samples - 2 * kStage, current);
      multiply(next);
    }
  }

  /// tile: kBlock lines of outputs, kLine floats each.
  __device__ __forceinline__ void store(float* tile) const {
    const int32_t g = lane_ / 4, t = lane_ % 4;
#pragma unroll
    for (int m = 0; m < kInputTiles; ++m) {
#pragma unroll
      for (int j = 0; j < kOutputTiles; ++j) {
        const float(&d)[4] = sums_[m][j];
        float* const line = tile + (8 * j + 2 * t) * kLine + 16 * m + g;
        line[0] = d[0];
        line[kLine] = d[1];
        if constexpr (kBlock > 8) {
          line[8] = d[2];
          line[kLine + 8] = d[3];
        }
      }
    }
  }

 private:
  /// Loads the next stage, of which `samples` are left.
  __device__ __forceinline__ void fetch(int32_t samples, Stage& stage) {
    if (samples >= kChunks * kChunk) {
      fetchSome<true>(samples, stage);
    } else {
      fetchSome<false>(samples, stage);
    }
    input_ += kChunks * kChunk * sizeof(Element);
    outputGradient_ += kChunks * kChunk * sizeof(Element);
  }

  /// Features beyond the samples that are left are 0.
  template <bool kWhole>
  __device__ __forceinline__ void fetchSome(int32_t samples, Stage& stage) const {
    const char* input = input_;
    const char* output = outputGradient_;
#pragma unroll
    for (int i = 0; i < kBlock / 8; ++i) {
#pragma unroll
      for (int chunk = 0; chunk < kChunks; ++chunk) {
        const int first = chunk * kChunk;
        const bool present = kWhole || first + lane_ % 4 * Operands::kLaneSamples < samples;
        stage.inputs[chunk][i] =
            present ? loadWords(reinterpret_cast<const Element*>(input) + first) : Words{};
        stage.outputs[chunk][i] =
            present ? loadWords(reinterpret_cast<const Element*>(output) + first) : Words{};
      }
      input += eightRows_;
      output += eightRows_;
    }
  }

  /// A lane's 16 bytes of a row are two calls' worth of summands: words 0 and 1, then words 2 and 3.
  __device__ __forceinline__ void multiply(const Stage& stage) {
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
#pragma unroll
      for (int step = 0; step < 2; ++step) {
        uint32_t a[kInputTiles][4] = {};
#pragma unroll
        for (int i = 0; i < kBlock / 8; ++i) {
          const Words& input = stage.inputs[chunk][i];
          a[i / 2][i % 2] = Operands::rounded(input.word[2 * step]);
          a[i / 2][i % 2 + 2] = Operands::rounded(input.word[2 * step + 1]);
        }
#pragma unroll
        for (int j = 0; j < kOutputTiles; ++j) {
          const Words& output = stage.outputs[chunk][j];
          const uint32_t b[2] = {Operands::rounded(output.word[2 * step]),
                                 Operands::rounded(output.word[2 * step + 1])};
#pragma unroll
          for (int m = 0; m < kInputTiles; ++m) Operands::multiply(sums_[m][j], a[m], b);
        }
      }
    }
  }

  /// In bytes, which spares instructions that scale.
  const char* input_;
  const char* outputGradient_;
  int32_t lane_;
  int64_t eightRows_;
  float sums_[kInputTiles][kOutputTiles][4] = {};
};

/// A thread block takes kWarps / splits consecutive entries, each with `splits` warps that share the samples.
/// The parts meet in shared memory, where they are added in order and leave in the order of the weights.
template <typename Operands, int kBlock>
__global__ void __launch_bounds__(kWarps * 32, kBlocksPerMultiprocessor)
    blockSddmmKernel(const SparseView matrix, const typename Operands::Element* __restrict__ outputGradient,
                     const typename Operands::Element* __restrict__ input, int32_t stride, int32_t splits,
                     int32_t splitSamples, const GradientSink sink) {
  using Gradient = EntryGradient<Operands, kBlock>;
  constexpr int kTile = kBlock * Gradient::kLine;
  constexpr int kSize = kBlock * kBlock;
  __shared__ float tiles[kWarps * kTile];
  if (sink.gradient == nullptr && !sink.step->moveWeights) return;

  const auto warp = static_cast<int32_t>(threadIdx.x / 32);
  const int32_t firstEntry = static_cast<int32_t>(blockIdx.x) * (kWarps / splits);
  const int32_t entries = min(kWarps / splits, matrix.entries - firstEntry);
  const int32_t entry = firstEntry + warp / splits;
  if (warp / splits < entries) {
    const int32_t row = rowOfEntry(matrix, entry);
    const int32_t column = __ldg(matrix.indices + entry);
    const int32_t begin = min(warp % splits * splitSamples, stride);
    Gradient gradient(outputGradient + int64_t{row} * kBlock * stride + begin,
                      input + int64_t{column} * kBlock * stride + begin, stride);
    gradient.sum(min(splitSamples, stride - begin));
    gradient.store(tiles + warp * kTile);
  }
  __syncthreads();

  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < entries * kSize; i += kWarps * 32) {
    const int32_t place = i % kSize;
    const float* const parts =
        tiles + i / kSize * splits * kTile + place / kBlock * Gradient::kLine + place % kBlock;
    float sum = parts[0];
    for (int32_t split = 1; split < splits; ++split) sum += parts[split * kTile];
    settleGradient(sink, int64_t{firstEntry} * kSize + i, sum);
  }
}

template <typename Operands, int kBlock>
void run(const Context& context, const SparseView& forward, Features outputGradient, Features input,
         int32_t stride, const GradientSink& sink) {
  using Gradient = EntryGradient<Operands, kBlock>;
  // Enough warps to hide the way to memory, but at least two stages of samples for each.
  constexpr int64_t kStageSamples = Gradient::kChunks * Gradient::kChunk;
  const int64_t wanted = int64_t{context.card.multiprocessors} * kWarps * kBlocksPerMultiprocessor;
  int32_t splits = 1;
  while (splits < kWarps && int64_t{forward.entries} * splits < wanted &&
         stride > 2 * splits * kStageSamples) {
    splits *= 2;
  }
  const auto splitSamples = static_cast<int32_t>(roundUp(divideUp(stride, splits), Gradient::kChunk));
  const auto blocks = static_cast<unsigned>(divideUp(forward.entries, kWarps / splits));
  launch(context, blockSddmmKernel<Operands, kBlock>, {dim3(blocks), dim3(kWarps * 32), 0}, forward,
         Operands::of(outputGradient), Operands::of(input), stride, splits, splitSamples, sink);
}

template <typename Operands>
void runFor(const Context& context, const SparseView& forward, Features outputGradient, Features input,
            int32_t stride, const GradientSink& sink) {
  switch (forward.blockOutputs) {
    case 8:
      return run<Operands, 8>(context, forward, outputGradient, input, stride, sink);
    case 16:
      return run<Operands, 16>(context, forward, outputGradient, input, stride, sink);
    default:
      return run<Operands, 32>(context, forward, outputGradient, input, stride, sink);
  }
}

}  // namespace

void blockSddmm(const Context& context, const SparseView& forward, Features outputGradient, Features input,
                int32_t stride, const GradientSink& sink) {
  require(hasBlockProducts(forward.blockOutputs, forward.blockInputs), ErrorCode::Internal,
          "a block shape that the matrix units have no product for");
  if (input.rounded != nullptr) {
    runFor<Bfloat16Operands>(context, forward, outputGradient, input, stride, sink);
  } else {
    runFor<Tf32Operands>(context, forward, outputGradient, input, stride, sink);
  }
}

}  // namespace espalier::cuda
