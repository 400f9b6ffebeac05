#include "device/cuda/kernels/layer_norm.h"

#include "device/cuda/kernels/update.cuh"
#include "device/cuda/kernels/vectors.cuh"

namespace espalier::cuda {
namespace {

/// What the warps of a block hand to each other: four sums of each half of its eight samples.
struct ColumnSums {
  Four at[kColumnWarpsAtMost][2];
};

/// The sum of `value` over the rows of a columnShape() block, for the thread's own four samples, in an order
/// that never changes. All threads of the block come here.
__device__ __forceinline__ Four columnSum(Four value, ColumnSums& shared) {
  for (float& sum : value.at) {
    for (int distance = kWarp / 2; distance > 1; distance /= 2) {
      sum += __shfl_xor_sync(kWholeWarp, sum, distance);
    }
  }
  const int warp = static_cast<int>(threadIdx.x / kWarp), half = static_cast<int>(threadIdx.x % 2);
  // The numbers of the last call may still be read.
  __syncthreads();
  if (threadIdx.x % kWarp < 2) shared.at[warp][half] = value;
  __syncthreads();
  Four total{};
  for (int i = 0; i < static_cast<int>(blockDim.x / kWarp); ++i) {
    for (int k = 0; k < 4; ++k) total.at[k] += shared.at[i][half].at[k];
  }
  return total;
}

constexpr int32_t kColumnThreadsAtMost = kColumnWarpsAtMost * kWarp;

__global__ void __launch_bounds__(kColumnThreadsAtMost)
    layerNormKernel(const float* input, FeaturesOut output, int32_t features, int32_t stride,
                    const float* gain, const float* shift, float epsilon, float* mean,
                    float* inverseDeviation) {
  __shared__ ColumnSums shared;
  const ColumnThread thread;
  const float share = 1.0f / static_cast<float>(features);
  Four sum{};
  for (int32_t f = thread.firstRow; f < features; f += thread.rowStep) {
    const Four x = loadFour(input + int64_t{f} * stride + thread.sample);
    for (int k = 0; k < 4; ++k) sum.at[k] += x.at[k];
  }
  Four center = columnSum(sum, shared);
  for (float& value : center.at) value *= share;
  Four squares{};
  for (int32_t f = thread.firstRow; f < features; f += thread.rowStep) {
    const Four x = loadFour(input + int64_t{f} * stride + thread.sample);
    for (int k = 0; k < 4; ++k) {
      const float distance = x.at[k] - center.at[k];
      squares.at[k] = fmaf(distance, distance, squares.at[k]);
    }
  }
  Four inverse = columnSum(squares, shared);
  for (float& value : inverse.at) value = 1.0f / sqrtf(fmaf(value, share, epsilon));
  for (int32_t f = thread.firstRow; f < features; f += thread.rowStep) {
    const int64_t place = int64_t{f} * stride + thread.sample;
    const float scale = gain[f], offset = shift[f];
    Four x = loadFour(input + place);
    for (int k = 0; k < 4; ++k) {
      x.at[k] = fmaf((x.at[k] - center.at[k]) * inverse.at[k], scale, offset);
    }
    storeFour(x, output, place);
  }
  if (threadIdx.x < 2) {
    storeFour(center, mean + thread.sample);
    storeFour(inverse, inverseDeviation + thread.sample);
  }
}

/// What the gradient of each sample's inputs has to lose: scratch[sample] = mean over the features of
/// gradient x gain, scratch[stride + sample] = that of gradient x gain x normalised input.
__global__ void __launch_bounds__(kColumnThreadsAtMost)
    gradientMeansKernel(const float* input, const float* gradient, int32_t features, int32_t stride,
                        const float* mean, const float* inverseDeviation, const float* gain, float* scratch) {
  __shared__ ColumnSums shared;
  const ColumnThread thread;
  const Four center = loadFour(mean + thread.sample), inverse = loadFour(inverseDeviation + thread.sample);
  Four sum{}, product{};
  for (int32_t f = thread.firstRow; f < features; f += thread.rowStep) {
    const int64_t place = int64_t{f} * stride + thread.sample;
    const float scale = gain[f];
    const Four x = loadFour(input + place), g = loadFour(gradient + place);
    for (int k = 0; k < 4; ++k) {
      const float dy = g.at[k] * scale;
      sum.at[k] += dy;
      product.at[k] = fmaf(dy, (x.at[k] - center.at[k]) * inverse.at[k], product.at[k]);
    }
  }
  sum = columnSum(sum, shared);
  product = columnSum(product, shared);
  if (threadIdx.x >= 2) return;
  const float share = 1.0f / static_cast<float>(features);
  for (int k = 0; k < 4; ++k) {
    sum.at[k] *= share;
    product.at[k] *= share;
  }
  storeFour(sum, scratch + thread.sample);
  storeFour(product, scratch + stride + thread.sample);
}

/// Row by row: the gradient of the input from the means, and the steps of gain and shift.
template <int WarpsPerRow>
__global__ void __launch_bounds__(kRowThreads)
    layerNormBackwardKernel(const float* input, const float* gradient, FeaturesOut inputGradient,
                            int32_t features, int32_t stride, const float* mean,
                            const float* inverseDeviation, const float* means, UpdateRule rule,
                            UpdateTarget gain, UpdateTarget shift, const StepParameters* step) {
  using Thread = RowThread<WarpsPerRow>;
  const Thread thread;
  if (thread.row >= features) return;
  const float scale = gain.weights[thread.row];
  // The gradients of gain and shift.
  float sums[2] = {};
  for (int32_t sample = 4 * thread.number; sample < stride; sample += 4 * Thread::kThreads) {
    const int64_t place = int64_t{thread.row} * stride + sample;
    const Four center = loadFour(mean + sample), inverse = loadFour(inverseDeviation + sample);
    const Four x = loadFour(input + place), g = loadFour(gradient + place);
    Four normal;
    for (int k = 0; k < 4; ++k) {
      normal.at[k] = (x.at[k] - center.at[k]) * inverse.at[k];
      sums[0] = fmaf(g.at[k], normal.at[k], sums[0]);
      sums[1] += g.at[k];
    }
    if (inputGradient.values == nullptr) continue;
    const Four sum = loadFour(means + sample), product = loadFour(means + stride + sample);
    Four dx;
    for (int k = 0; k < 4; ++k) {
      dx.at[k] = (g.at[k] * scale - sum.at[k] - normal.at[k] * product.at[k]) * inverse.at[k];
    }
    storeFour(dx, inputGradient, place);
  }
  const float total = rowTotal<WarpsPerRow>(sums, thread.number);
  if (thread.number >= 2 || !step->moveWeights) return;
  if (thread.number == 0) {
    moveWeight(rule, *step, gain, thread.row, total);
  } else {
    moveWeight(rule, *step, shift, thread.row, total);
  }
}

}  // namespace

void layerNorm(const Context& context, const float* input, FeaturesOut output, int32_t features,
               int32_t stride, const float* gain, const float* shift, float epsilon, float* mean,
               float* inverseDeviation) {
  launch(context, layerNormKernel, columnShape(features, stride), input, output, features, stride, gain,
         shift, epsilon, mean, inverseDeviation);
}

void layerNormBackward(const Context& context, const float* input, const float* gradient,
                       FeaturesOut inputGradient, int32_t features, int32_t stride, const float* mean,
                       const float* inverseDeviation, const UpdateRule& rule, const UpdateTarget& gain,
                       const UpdateTarget& shift, const StepParameters* step, float* scratch) {
  if (inputGradient.values != nullptr) {
    launch(context, gradientMeansKernel, columnShape(features, stride), input, gradient, features, stride,
           mean, inverseDeviation, gain.weights, scratch);
  }
  const bool wholeBlock = stride > kLongestWarpRow;
  launch(context, wholeBlock ? layerNormBackwardKernel<kRowWarps> : layerNormBackwardKernel<1>,
         rowShape(features, wholeBlock ? kRowWarps : 1), input, gradient, inputGradient, features, stride,
         mean, inverseDeviation, scratch, withoutDecay(rule), gain, shift, step);
}

}  // namespace espalier::cuda
