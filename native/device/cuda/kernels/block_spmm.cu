#include "base/error.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/base/shared_memory.cuh"
#include "device/cuda/kernels/block_operands.cuh"
#include "device/cuda/kernels/block_products.h"

namespace espalier::cuda {
namespace {

constexpr uint32_t kAllLanes = 0xFFFFFFFFu;

/// How the kernel is cut for one precision. Weights are read once per thread block of 256 samples at most;
/// loads of kDepth - 1 stages are under way while one is multiplied.
template <typename Operands>
struct Cut;

template <>
struct Cut<Tf32Operands> {
  static constexpr int kWarps = 8;
  static constexpr int kBlocksPerMultiprocessor = 2;
  static constexpr int kDepth = 2;
};

template <>
struct Cut<Bfloat16Operands> {
  static constexpr int kWarps = 4;
  static constexpr int kBlocksPerMultiprocessor = 2;
  static constexpr int kDepth = 3;
};

/// One warp's part of a row: every `step`-th entry. The warp reads 32 places ahead at once.
template <bool kTransposed>
class EntryWalk {
 public:
  __device__ EntryWalk(const SparseView& matrix, int32_t row, int32_t share, int32_t step)
      : matrix_(matrix), first_(__ldg(matrix.offsets + row) + share), step_(step) {
    const int32_t left = __ldg(matrix.offsets + row + 1) - first_;
    count_ = left > 0 ? (left - 1) / step + 1 : 0;
  }

  __device__ int32_t count() const { return count_; }

  /// Where entry n of the walk and its weights are; n goes up by 1, all lanes ask together.
  __device__ __forceinline__ void place(int32_t n, int32_t& column, int32_t& value) {
    if (n % 32 == 0) {
      const int32_t mine = n + static_cast<int32_t>(threadIdx.x % 32);
      if (mine < count_) {
        columns_ = __ldg(matrix_.indices + first_ + mine * step_);
        if constexpr (kTransposed) values_ = __ldg(matrix_.valueIndex + first_ + mine * step_);
      }
    }
    column = __shfl_sync(kAllLanes, columns_, n % 32);
    value = kTransposed ? __shfl_sync(kAllLanes, values_, n % 32) : first_ + n * step_;
  }

 private:
  const SparseView& matrix_;
  int32_t first_;
  int32_t step_;
  int32_t count_ = 0;
  int32_t columns_ = 0;
  int32_t values_ = 0;
};

/// The product of a warp's samples with the outputs of one block row, transposed: samples are the rows of the
/// matrix units' tiles, so that 8, 16 and 32 outputs all fill them. A stage is 16 inputs: half an entry of
/// 32 x 32, one of 16 x 16, two of 8 x 8.
template <typename Operands, int kBlock, bool kTransposed>
class RowProduct {
 public:
  using Element = typename Operands::Element;
  static constexpr int kTiles = kBlock / 8;
  static constexpr int kSampleTiles = Operands::kLaneSamples / 2;
  static constexpr int kSums = kSampleTiles * kTiles;
  /// Stages of an entry.
  static constexpr int kParts = kBlock == 32 ? 2 : 1;

  struct Stage {
    Words rows[4];
    float weights[kTiles][4];
  };

  /// Samples do not mix: a lane beyond the last sample works on others' in vain and stores nothing.
  __device__ RowProduct(const SparseView& matrix, const Element* input, int32_t stride, int32_t sample)
      : weights_(matrix.values),
        input_(input + min(sample, stride - Operands::kLaneSamples)),
        stride_(stride) {}

  __device__ static int32_t stages(int32_t entries) {
    return kBlock == 8 ? (entries + 1) / 2 : entries * kParts;
  }

  /// part: number % kParts.
  __device__ __forceinline__ void fetch(EntryWalk<kTransposed>& walk, int32_t number, int part,
                                        Stage& stage) {
    if constexpr (kBlock == 8) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int32_t entry = 2 * number + half;
        const bool exists = entry < walk.count();
        if (exists) enter<2>(walk, entry);
        fetchPart<2>(exists, 0, half, stage);
      }
    } else {
      if (part == 0) enter<4>(walk, number / kParts);
      fetchPart<4>(true, 16 * part, 0, stage);
    }
  }

  __device__ __forceinline__ void multiply(const Stage& stage) {
#pragma unroll
    for (int step = 0; step < Operands::kSteps; ++step) {
      uint32_t a[kSampleTiles][4];
      Operands::interleave(stage.rows, step, a);
#pragma unroll
      for (int tile = 0; tile < kTiles; ++tile) {
        uint32_t b[2];
        Operands::weights(stage.weights[tile], step, b);
#pragma unroll
        for (int m = 0; m < kSampleTiles; ++m) Operands::multiply(sums_[m * kTiles + tile], a[m], b);
      }
    }
  }

  /// Adds up the warps that share a row: the upper half's sums go to the lower half, until one is left.
  __device__ __forceinline__ void reduce(int32_t warp, int32_t share, int32_t shares, int32_t distance) {
    if (shares == 1) return;
    float4* const slots = dynamicShared<float4>() + threadIdx.x % 32;
    for (int32_t half = shares / 2; half > 0; half /= 2) {
      if (share >= half && share < 2 * half) {
        float4* const slot = slots + (warp - half * distance) * (kSums * 32);
#pragma unroll
        for (int i = 0; i < kSums; ++i) {
          slot[i * 32] = make_float4(sums_[i][0], sums_[i][1], sums_[i][2], sums_[i][3]);
        }
      }
      __syncthreads();
      if (share < half) {
        const float4* const slot = slots + warp * (kSums * 32);
#pragma unroll
        for (int i = 0; i < kSums; ++i) {
          const float4 other = slot[i * 32];
          sums_[i][0] += other.x;
          sums_[i][1] += other.y;
          sums_[i][2] += other.z;
          sums_[i][3] += other.w;
        }
      }
      __syncthreads();
    }
  }

  /// output: at the block row's first output and this lane's first sample.
  __device__ __forceinline__ void store(float* output) const {
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        float* const row = output + int64_t{outputOf(tile, 2 * threadInGroup() + i)} * stride_;
#pragma unroll
        for (int m = 0; m < kSampleTiles; m += 2) {
          const float(&first)[4] = sums_[m * kTiles + tile];
          const float(&second)[4] = sums_[(m + 1) * kTiles + tile];
          *reinterpret_cast<float4*>(row + 2 * m) =
              make_float4(first[i], first[i + 2], second[i], second[i + 2]);
        }
      }
    }
  }

 private:
  static __device__ __forceinline__ int32_t group() {
    return static_cast<int32_t>(threadIdx.x % 32 / 4);
  }
  static __device__ __forceinline__ int32_t threadInGroup() {
    return static_cast<int32_t>(threadIdx.x % 4);
  }

  /// The block's output that is column `slot` of a tile: such that weights of a lane lie side by side.
  static __device__ __forceinline__ int32_t outputOf(int tile, int32_t slot) {
    return kTransposed ? slot * kTiles + tile : 8 * tile + slot;
  }

  /// Turns to an entry of which a lane takes kInputs consecutive inputs at once.
  template <int kInputs>
  __device__ __forceinline__ void enter(EntryWalk<kTransposed>& walk, int32_t entry) {
    int32_t column = 0, value = 0;
    walk.place(entry, column, value);
    const int32_t input = threadInGroup() * kInputs;
    entryInput_ = input_ + (int64_t{column} * kBlock + input) * stride_;
    entryWeights_ =
        weights_ + int64_t{value} * (kBlock * kBlock) +
        (kTransposed ? input * kBlock + outputOf(0, group()) : outputOf(0, group()) * kBlock + input);
  }

  /// kInputs consecutive inputs per lane, from the entry's input `first` on, into the stage's inputs from
  /// half x kInputs on. Where it does not exist its weights are 0 and the features those of the last one.
  template <int kInputs>
  __device__ __forceinline__ void fetchPart(bool exists, int first, int half, Stage& stage) {
#pragma unroll
    for (int q = 0; q < kInputs; ++q) {
      stage.rows[half * kInputs + q] = loadWords(entryInput_ + int64_t{first + q} * stride_);
    }
    if constexpr (kTransposed) {
#pragma unroll
      for (int q = 0; q < kInputs; ++q) {
        float line[kTiles] = {};
        if (exists) loadLine(entryWeights_ + (first + q) * kBlock, line);
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) stage.weights[tile][half * kInputs + q] = line[tile];
      }
    } else {
#pragma unroll
      for (int tile = 0; tile < kTiles; ++tile) {
        float line[kInputs] = {};
        if (exists) loadLine(entryWeights_ + 8 * tile * kBlock + first, line);
#pragma unroll
        for (int q = 0; q < kInputs; ++q) stage.weights[tile][half * kInputs + q] = line[q];
      }
    }
  }

  static __device__ __forceinline__ void loadLine(const float* from, float (&line)[1]) {
    line[0] = __ldg(from);
  }
  static __device__ __forceinline__ void loadLine(const float* from, float (&line)[2]) {
    const float2 two = __ldg(reinterpret_cast<const float2*>(from));
    line[0] = two.x;
    line[1] = two.y;
  }
  static __device__ __forceinline__ void loadLine(const float* from, float (&line)[4]) {
    const float4 four = __ldg(reinterpret_cast<const float4*>(from));
    line[0] = four.x;
    line[1] = four.y;
    line[2] = four.z;
    line[3] = four.w;
  }

  const float* weights_;
  const Element* input_;
  int32_t stride_;
  const Element* entryInput_ = nullptr;
  const float* entryWeights_ = nullptr;
  float sums_[kSums][4] = {};
};

/// A thread block takes one block row and the samples of `sampleWarps` warps; `shares` times as many warps
/// share the row's entries.
template <typename Operands, int kBlock, bool kTransposed>
__global__ void __launch_bounds__(Cut<Operands>::kWarps * 32, Cut<Operands>::kBlocksPerMultiprocessor)
    blockSpmmKernel(const SparseView matrix, const typename Operands::Element* __restrict__ input,
                    float* __restrict__ output, int32_t stride, int32_t sampleTiles, int32_t sampleWarps,
                    int32_t shares) {
  constexpr int kDepth = Cut<Operands>::kDepth;
  using Product = RowProduct<Operands, kBlock, kTransposed>;
  constexpr int kParts = Product::kParts;
  const auto warp = static_cast<int32_t>(threadIdx.x / 32);
  const int32_t share = warp / sampleWarps;
  const int32_t row = __ldg(matrix.order + blockIdx.x / sampleTiles);
  const auto tile = static_cast<int32_t>(blockIdx.x % sampleTiles);
  const int32_t firstSample = (tile * sampleWarps + warp % sampleWarps) * (8 * Operands::kLaneSamples);
  const int32_t sample = firstSample + static_cast<int32_t>(threadIdx.x % 32 / 4) * Operands::kLaneSamples;

  Product product(matrix, input, stride, sample);
  EntryWalk<kTransposed> walk(matrix, row, share, shares);
  const int32_t stages = firstSample < stride ? Product::stages(walk.count()) : 0;
  typename Product::Stage ring[kDepth];
#pragma unroll
  for (int i = 0; i < kDepth - 1; ++i) {
    if (i < stages) product.fetch(walk, i, i % kParts, ring[i]);
  }
  // Unrolled so far that places in the ring and parts of entries are known in advance.
  constexpr int kUnrolled = kDepth % kParts == 0 ? kDepth : kDepth * kParts;
  for (int32_t stage = 0; stage < stages; stage += kUnrolled) {
#pragma unroll
    for (int i = 0; i < kUnrolled; ++i) {
      if (stage + i >= stages) break;
      constexpr int kAhead = kDepth - 1;
      if (stage + i + kAhead < stages) {
        product.fetch(walk, stage + i + kAhead, (i + kAhead) % kParts, ring[(i + kAhead) % kDepth]);
      }
      product.multiply(ring[i % kDepth]);
    }
  }
  product.reduce(warp, share, shares, sampleWarps);
  if (share == 0 && sample < stride) product.store(output + int64_t{row} * kBlock * stride + sample);
}

template <typename Operands, int kBlock, bool kTransposed>
void run(const Context& context, const SparseView& matrix, const typename Operands::Element* input,
         float* output, int32_t stride) {
  constexpr int kWarps = Cut<Operands>::kWarps;
  constexpr int kWarpSamples = 8 * Operands::kLaneSamples;
  // Warps take samples of their own, which spares reading weights again; where that makes too few thread
  // blocks to fill the card, or the samples are too few, they share entries instead.
  const auto blocksOf = [&](int32_t sampleWarps) {
    return matrix.blockRows * divideUp(stride, int64_t{sampleWarps} * kWarpSamples);
  };
  int32_t sampleWarps = kWarps;
  while (sampleWarps > 1 && ((sampleWarps / 2) * kWarpSamples >= stride ||
                             2 * blocksOf(sampleWarps) < 3 * int64_t{context.card.multiprocessors})) {
    sampleWarps /= 2;
  }
  const auto sampleTiles = static_cast<int32_t>(divideUp(stride, int64_t{sampleWarps} * kWarpSamples));
  const int64_t sumBytes = RowProduct<Operands, kBlock, kTransposed>::kSums * 32 * sizeof(float4);
  const int64_t sharedBytes = sampleWarps < kWarps ? kWarps / 2 * sumBytes : 0;
  launch(context, blockSpmmKernel<Operands, kBlock, kTransposed>,
         {dim3(static_cast<unsigned>(blocksOf(sampleWarps))), dim3(kWarps * 32), sharedBytes}, matrix, input,
         output, stride, sampleTiles, sampleWarps, kWarps / sampleWarps);
}

template <typename Operands>
void runFor(const Context& context, const SparseView& matrix, Features input, float* output, int32_t stride) {
  const auto* const elements = Operands::of(input);
  const bool transposed = matrix.inputStride != 1;
  switch (matrix.blockOutputs) {
    case 8:
      return transposed ? run<Operands, 8, true>(context, matrix, elements, output, stride)
                        : run<Operands, 8, false>(context, matrix, elements, output, stride);
    case 16:
      return transposed ? run<Operands, 16, true>(context, matrix, elements, output, stride)
                        : run<Operands, 16, false>(context, matrix, elements, output, stride);
    default:
      return transposed ? run<Operands, 32, true>(context, matrix, elements, output, stride)
                        : run<Operands, 32, false>(context, matrix, elements, output, stride);
  }
}

}  // namespace

bool hasBlockProducts(int32_t blockOutputs, int32_t blockInputs) {
  return blockOutputs == blockInputs && (blockOutputs == 8 || blockOutputs == 16 || blockOutputs == 32);
}

void blockSpmm(const Context& context, const SparseView& matrix, Features input, float* output,
               int32_t stride) {
  require(hasBlockProducts(matrix.blockOutputs, matrix.blockInputs), ErrorCode::Internal,
          "a block shape that the matrix units have no product for");
  if (input.rounded != nullptr) {
    runFor<Bfloat16Operands>(context, matrix, input, output, stride);
  } else {
    runFor<Tf32Operands>(context, matrix, input, output, stride);
  }
}

}  // namespace espalier::cuda
