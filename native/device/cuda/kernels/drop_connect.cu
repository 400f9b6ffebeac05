#include "device/cuda/kernels/drop_connect.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "device/cuda/base/launch.h"

namespace espalier::cuda {
namespace {

constexpr int32_t kThreads = 256;
/// Enough for every multiprocessor to be full.
constexpr int64_t kBlocksPerMultiprocessor = 8;

/// A weight stays where its random number is at least `threshold`. One block of Philox numbers serves a
/// thread's four weights.
__global__ void __launch_bounds__(kThreads)
    dropConnectKernel(uint32_t threshold, float scale, uint64_t seed, uint32_t layer, const float* weights,
                      float* left, int64_t size, const StepParameters* step) {
  __shared__ uint64_t stepSeed;
  const bool training = step->training;
  if (training && threadIdx.x == 0) {
    stepSeed = deriveSeed(seed, RandomPurpose::DropConnect, layer, static_cast<uint64_t>(step->step));
  }
  __syncthreads();
  const int64_t threads = int64_t{gridDim.x} * kThreads;
  for (int64_t four = int64_t{blockIdx.x} * kThreads + threadIdx.x; 4 * four < size; four += threads) {
    std::array<uint32_t, 4> bits{};
    if (training) {
      bits = randomBits(stepSeed, RandomPurpose::DropConnect, 0, static_cast<uint64_t>(four));
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const int64_t i = 4 * four + k;
      if (i >= size) break;
      const float weight = weights[i];
      left[i] = !training ? weight : bits[k] >= threshold ? weight * scale : 0.0f;
    }
  }
}

}  // namespace

void dropConnect(const Context& context, float rate, uint64_t seed, uint32_t layer, const float* weights,
                 float* left, int64_t size, const StepParameters* step) {
  const auto threshold =
      static_cast<uint32_t>(std::min(4294967295.0, std::ceil(double{rate} * 4294967296.0)));
  const int64_t blocks = std::min(divideUp(divideUp(size, 4), kThreads),
                                  context.card.multiprocessors * kBlocksPerMultiprocessor);
  launch(context, dropConnectKernel, {dim3(static_cast<uint32_t>(blocks)), dim3(kThreads)}, threshold,
         1.0f / (1.0f - rate), seed, layer, weights, left, size, step);
}

}  // namespace espalier::cuda
