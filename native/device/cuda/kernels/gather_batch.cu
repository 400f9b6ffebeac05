#include "device/cuda/kernels/samples.h"
#include "device/cuda/kernels/vectors.cuh"

namespace espalier::cuda {
namespace {

/// A block transposes this many samples x as many features.
constexpr int32_t kTile = 32;
static_assert(kLargestBatch == 65535 * kTile);
constexpr int32_t kThreads = 256;

/// A row of samples for each feature, one longer than full, so that neither a row nor a column meets a bank
/// twice.
using Tile = float[kTile][kTile + 1];

/// Four features of one sample to a thread: rows of the data set start on 16 bytes.
__device__ __forceinline__ void readByFours(const float* values, const int64_t* rows, int32_t samples,
                                            int32_t features, int32_t firstFeature, Tile& tile) {
  const int32_t sample = static_cast<int32_t>(threadIdx.x / (kTile / 4));
  const int32_t inTile = static_cast<int32_t>(threadIdx.x % (kTile / 4)) * 4;
  const int32_t feature = firstFeature + inTile;
  Four x{};
  if (sample < samples && feature < features) x = loadFour(values + rows[sample] * features + feature);
  for (int k = 0; k < 4; ++k) tile[inTile + k][sample] = x.at[k];
}

/// One feature to a thread, a warp to a sample.
__device__ __forceinline__ void readOneByOne(const float* values, const int64_t* rows, int32_t samples,
                                             int32_t features, int32_t firstFeature, Tile& tile) {
  const int32_t inTile = static_cast<int32_t>(threadIdx.x % kTile);
  const int32_t feature = firstFeature + inTile;
  constexpr int32_t kWarps = kThreads / kTile, kRounds = kTile / kWarps;
  const auto first = static_cast<int32_t>(threadIdx.x / kTile);
  float x[kRounds];
  for (int32_t i = 0; i < kRounds; ++i) {
    const int32_t sample = first + i * kWarps;
    const bool there = sample < samples && feature < features;
    x[i] = there ? values[rows[sample] * features + feature] : 0.0f;
  }
  for (int32_t i = 0; i < kRounds; ++i) tile[inTile][first + i * kWarps] = x[i];
}

__global__ void __launch_bounds__(kThreads)
    gatherKernel(const StepParameters* parameters, int32_t features, FeaturesOut batch, int32_t stride) {
  __shared__ Tile tile;
  __shared__ int64_t rows[kTile];
  const StepParameters& step = *parameters;
  const int32_t firstFeature = static_cast<int32_t>(blockIdx.x) * kTile;
  const int32_t firstSample = static_cast<int32_t>(blockIdx.y) * kTile;
  const int32_t samples = step.count - firstSample;
  const auto thread = static_cast<int32_t>(threadIdx.x);
  if (thread < kTile && thread < samples) rows[thread] = step.row(firstSample + thread);
  __syncthreads();
  const float* const values = step.values;
  if (features % 4 == 0 && reinterpret_cast<uintptr_t>(values) % 16 == 0) {
    readByFours(values, rows, samples, features, firstFeature, tile);
  } else {
    readOneByOne(values, rows, samples, features, firstFeature, tile);
  }
  __syncthreads();
  const int32_t inTile = thread / (kTile / 4), sample = thread % (kTile / 4) * 4;
  if (firstFeature + inTile >= features || firstSample + sample >= stride) return;
  Four x;
  for (int k = 0; k < 4; ++k) x.at[k] = tile[inTile][sample + k];
  storeFour(x, batch, int64_t{firstFeature + inTile} * stride + firstSample + sample);
}

}  // namespace

void gatherBatch(const Context& context, const StepParameters* step, int32_t features, FeaturesOut batch,
                 int32_t stride) {
  const dim3 blocks(static_cast<uint32_t>(divideUp(features, kTile)),
                    static_cast<uint32_t>(divideUp(stride, kTile)));
  launch(context, gatherKernel, {blocks, dim3(kThreads)}, step, features, batch, stride);
}

}  // namespace espalier::cuda
