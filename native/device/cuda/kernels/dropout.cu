#include <algorithm>
#include <cmath>

#include "device/cuda/kernels/samples.h"
#include "device/cuda/kernels/vectors.cuh"

namespace espalier::cuda {
namespace {

/// A value stays where its random number is at least `threshold`. One block of Philox numbers serves a
/// thread's four samples.
__global__ void __launch_bounds__(kElementThreads)
    dropoutKernel(uint32_t threshold, float scale, uint64_t seed, uint32_t layer, const float* input,
                  FeaturesOut output, int32_t features, int32_t stride, const StepParameters* step) {
  __shared__ uint64_t stepSeed;
  const bool training = step->training;
  if (training && threadIdx.x == 0 && threadIdx.y == 0) {
    stepSeed = deriveSeed(seed, RandomPurpose::Dropout, layer, static_cast<uint64_t>(step->step));
  }
  __syncthreads();
  const Element element;
  if (!element.within(features, stride)) return;
  const int64_t place = element.place(stride);
  Four x = loadFour(input + place);
  if (training) {
    const auto bits = randomBits(stepSeed, RandomPurpose::Dropout, static_cast<uint32_t>(element.row),
                                 static_cast<uint64_t>(element.sample / 4));
    for (int k = 0; k < 4; ++k) x.at[k] = bits[k] >= threshold ? x.at[k] * scale : 0.0f;
  }
  storeFour(x, output, place);
}

}  // namespace

void dropout(const Context& context, float rate, uint64_t seed, uint32_t layer, const float* input,
             FeaturesOut output, int32_t features, int32_t stride, const StepParameters* step) {
  const auto threshold =
      static_cast<uint32_t>(std::min(4294967295.0, std::ceil(double{rate} * 4294967296.0)));
  launch(context, dropoutKernel, elementShape(features, stride), threshold, 1.0f / (1.0f - rate), seed, layer,
         input, output, features, stride, step);
}

}  // namespace espalier::cuda
