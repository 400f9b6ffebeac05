#include <cmath>
#include <cstdint>

#include "device/cuda/kernels/samples.h"
#include "device/cuda/kernels/vectors.cuh"

namespace espalier::cuda {
namespace {

constexpr int32_t kThreadsAtMost = kColumnWarpsAtMost * kWarp;

/// What a walk over some outputs of a sample finds; what two walks found can be joined.
struct Findings {
  /// The sum of exp(output - top), kept up as the top rises (Milakov and Gimelshein, 2018).
  float top;
  float sum;
  /// The first of the largest outputs, as comparing one after the other finds it: NaN is never larger, and as
  /// the first output never beaten.
  float best;
  int32_t index;

  __device__ __forceinline__ static Findings none() { return {-INFINITY, 0.0f, -INFINITY, INT32_MAX}; }

  __device__ __forceinline__ void joinSum(float otherTop, float otherSum) {
    const float newTop = fmaxf(top, otherTop);
    // Equal infinities would give NaN.
    const float own = top == newTop ? sum : sum * expf(top - newTop);
    const float other = otherTop == newTop ? otherSum : otherSum * expf(otherTop - newTop);
    sum = own + other;
    top = newTop;
  }
  __device__ __forceinline__ void joinBest(float value, int32_t place) {
    if (value > best || (value == best && place < index)) {
      best = value;
      index = place;
    }
  }
};

/// Findings of the block's eight samples, by its warps.
using SharedFindings = Findings[kColumnWarpsAtMost][kColumnSamples];

__device__ __forceinline__ int32_t ownWarp() {
  return static_cast<int32_t>(threadIdx.x / kWarp);
}

/// Walks all outputs of the block's samples; afterwards thread i, for i below 8, has sample i's findings, and
/// so has shared[0][i]. Without Sum no exponentials are taken. All threads of the block come here.
template <bool Sum>
__device__ __forceinline__ Findings findInOutputs(const float* outputs, int32_t units, int32_t stride,
                                                  const ColumnThread& thread, SharedFindings& shared) {
  Findings own[4] = {Findings::none(), Findings::none(), Findings::none(), Findings::none()};
  for (int32_t unit = thread.firstRow; unit < units; unit += thread.rowStep) {
    const Four y = loadFour(outputs + int64_t{unit} * stride + thread.sample);
    for (int k = 0; k < 4; ++k) {
      if constexpr (Sum) own[k].joinSum(y.at[k], 1.0f);
      own[k].joinBest(unit == 0 && std::isnan(y.at[k]) ? INFINITY : y.at[k], unit);
    }
  }
  for (int k = 0; k < 4; ++k) {
    for (int distance = kWarp / 2; distance > 1; distance /= 2) {
      if constexpr (Sum) {
        const float top = __shfl_xor_sync(kWholeWarp, own[k].top, distance);
        own[k].joinSum(top, __shfl_xor_sync(kWholeWarp, own[k].sum, distance));
      }
      const float best = __shfl_xor_sync(kWholeWarp, own[k].best, distance);
      own[k].joinBest(best, __shfl_xor_sync(kWholeWarp, own[k].index, distance));
    }
    if (threadIdx.x % kWarp < 2) shared[ownWarp()][thread.inBlock + k] = own[k];
  }
  __syncthreads();
  Findings all = Findings::none();
  if (threadIdx.x < kColumnSamples) {
    for (int warp = 0; warp < static_cast<int>(blockDim.x / kWarp); ++warp) {
      const Findings& part = shared[warp][threadIdx.x];
      if constexpr (Sum) all.joinSum(part.top, part.sum);
      all.joinBest(part.best, part.index);
    }
    shared[0][threadIdx.x] = all;
  }
  __syncthreads();
  return all;
}

/// The answers of the block's eight samples. Padding has none.
struct Answers {
  int64_t rows[kColumnSamples];
  int32_t labels[kColumnSamples];
};

/// Threads 0 to 7 fetch; others may read after a barrier.
__device__ __forceinline__ void fetchAnswers(const StepParameters& step, Answers& answers) {
  if (threadIdx.x >= kColumnSamples) return;
  const int32_t sample =
      static_cast<int32_t>(blockIdx.x) * kColumnSamples + static_cast<int32_t>(threadIdx.x);
  if (sample >= step.count) return;
  const int64_t row = step.row(sample);
  answers.rows[threadIdx.x] = row;
  if (step.labels != nullptr) answers.labels[threadIdx.x] = step.labels[row];
}

/// Whether the answer to a sample with this label is right.
__device__ __forceinline__ bool answersRight(Loss loss, int32_t units, float firstOutput, int32_t bestUnit,
                                             int32_t label) {
  if (units > 1) return bestUnit == label;
  const float boundary = loss == Loss::BinaryCrossEntropy ? 0.0f : 0.5f;
  return (firstOutput > boundary) == (label == 1);
}

__global__ void __launch_bounds__(kThreadsAtMost)
    softmaxLossKernel(const float* outputs, FeaturesOut gradient, int32_t units, int32_t stride,
                      const StepParameters* parameters, double* losses, int32_t* rights) {
  __shared__ SharedFindings shared;
  __shared__ Answers answers;
  const StepParameters& step = *parameters;
  const ColumnThread thread;
  fetchAnswers(step, answers);
  const Findings found = findInOutputs<true>(outputs, units, stride, thread, shared);
  if (threadIdx.x < kColumnSamples) {
    const int32_t sample =
        static_cast<int32_t>(blockIdx.x) * kColumnSamples + static_cast<int32_t>(threadIdx.x);
    double loss = 0;
    bool right = false;
    if (sample < step.count) {
      const int32_t label = answers.labels[threadIdx.x];
      const float answer = outputs[int64_t{label} * stride + sample];
      loss = double{logf(found.sum)} + (double{found.top} - double{answer});
      right = answersRight(Loss::SoftmaxCrossEntropy, units, outputs[sample], found.index, label);
    }
    losses[sample] = loss;
    rights[sample] = right ? 1 : 0;
  }
  if (gradient.values == nullptr) return;
  const float scale = 1.0f / static_cast<float>(step.count);
  float top[4], inverse[4];
  int32_t label[4];
  for (int k = 0; k < 4; ++k) {
    top[k] = shared[0][thread.inBlock + k].top;
    inverse[k] = 1.0f / shared[0][thread.inBlock + k].sum;
    label[k] = answers.labels[thread.inBlock + k];
  }
  for (int32_t unit = thread.firstRow; unit < units; unit += thread.rowStep) {
    const int64_t place = int64_t{unit} * stride + thread.sample;
    Four y = loadFour(outputs + place);
    for (int k = 0; k < 4; ++k) {
      const float probability = expf(y.at[k] - top[k]) * inverse[k];
      const float slope = (unit == label[k] ? probability - 1.0f : probability) * scale;
      y.at[k] = thread.sample + k < step.count ? slope : 0.0f;
    }
    storeFour(y, gradient, place);
  }
}

/// A term of a loss that is a mean over the outputs, and its slope.
struct Term {
  double loss;
  float slope;
};

template <Loss Kind>
__device__ __forceinline__ Term termOf(float y, float target) {
  if constexpr (Kind == Loss::SquaredError) {
    const double distance = double{y} - double{target};
    return {distance * distance, static_cast<float>(2 * distance)};
  } else {
    // log(1 + exp(y)) - t y and its slope sigmoid(y) - t, written so that exp never overflows and nothing is
    // lost where y is far on the target's side.
    const float e = expf(-fabsf(y));
    const float missing = e / (1.0f + e);
    const double other = 1.0 - double{target};
    if (y > 0) return {double{y} * other + log1pf(e), static_cast<float>(other) - missing};
    return {-double{y} * target + log1pf(e), missing - target};
  }
}

/// The target of output `unit`: given, or 1 at the label; a single output's target is the label itself.
__device__ __forceinline__ float targetOf(const StepParameters& step, int64_t row, int32_t label,
                                          int32_t unit, int32_t units) {
  if (step.targets != nullptr) return step.targets[row * units + unit];
  if (units == 1) return static_cast<float>(label);
  return unit == label ? 1.0f : 0.0f;
}

template <Loss Kind>
__global__ void __launch_bounds__(kThreadsAtMost)
    meanLossKernel(const float* outputs, FeaturesOut gradient, int32_t units, int32_t stride,
                   const StepParameters* parameters, double* losses, int32_t* rights) {
  __shared__ SharedFindings shared;
  __shared__ double partial[kColumnWarpsAtMost][kColumnSamples];
  __shared__ Answers answers;
  const StepParameters& step = *parameters;
  const ColumnThread thread;
  fetchAnswers(step, answers);
  __syncthreads();
  const float share = 1.0f / static_cast<float>(units);
  const float scale = 1.0f / static_cast<float>(step.count);
  double sums[4] = {};
  for (int32_t unit = thread.firstRow; unit < units; unit += thread.rowStep) {
    const int64_t place = int64_t{unit} * stride + thread.sample;
    Four y = loadFour(outputs + place);
    for (int k = 0; k < 4; ++k) {
      float slope = 0;
      if (thread.sample + k < step.count) {
        const int64_t row = answers.rows[thread.inBlock + k];
        const Term term =
            termOf<Kind>(y.at[k], targetOf(step, row, answers.labels[thread.inBlock + k], unit, units));
        sums[k] += term.loss;
        slope = term.slope * share * scale;
      }
      y.at[k] = slope;
    }
    if (gradient.values != nullptr) storeFour(y, gradient, place);
  }
  for (int k = 0; k < 4; ++k) {
    for (int distance = kWarp / 2; distance > 1; distance /= 2) {
      sums[k] += __shfl_xor_sync(kWholeWarp, sums[k], distance);
    }
    if (threadIdx.x % kWarp < 2) partial[ownWarp()][thread.inBlock + k] = sums[k];
  }
  // Its barriers serve the partial sums too.
  const Findings found = findInOutputs<false>(outputs, units, stride, thread, shared);
  if (threadIdx.x >= kColumnSamples) return;
  double loss = 0;
  for (int warp = 0; warp < static_cast<int>(blockDim.x / kWarp); ++warp) loss += partial[warp][threadIdx.x];
  const int32_t sample =
      static_cast<int32_t>(blockIdx.x) * kColumnSamples + static_cast<int32_t>(threadIdx.x);
  const bool answered = sample < step.count && step.labels != nullptr;
  losses[sample] = loss / units;
  rights[sample] =
      answered && answersRight(Kind, units, outputs[sample], found.index, answers.labels[threadIdx.x]) ? 1
                                                                                                       : 0;
}

constexpr int32_t kSumThreads = 256;

/// Adds up the samples: each thread its own, then the threads in pairs, always the same ones.
__global__ void __launch_bounds__(kSumThreads)
    outcomeKernel(const double* losses, const int32_t* rights, const StepParameters* step,
                  StepOutcome* outcomes, int32_t slots) {
  __shared__ double loss[kSumThreads];
  __shared__ int64_t correct[kSumThreads];
  const auto thread = static_cast<int32_t>(threadIdx.x);
  double lossSum = 0;
  int64_t rightSum = 0;
  for (int32_t sample = thread; sample < step->count; sample += kSumThreads) {
    lossSum += losses[sample];
    rightSum += rights[sample];
  }
  loss[thread] = lossSum;
  correct[thread] = rightSum;
  __syncthreads();
  for (int32_t half = kSumThreads / 2; half > 0; half /= 2) {
    if (thread < half) {
      loss[thread] += loss[thread + half];
      correct[thread] += correct[thread + half];
    }
    __syncthreads();
  }
  if (thread != 0) return;
  StepOutcome& outcome = outcomes[step->step % slots];
  outcome.lossSum = loss[0];
  outcome.correct = correct[0];
  __threadfence_system();
  outcome.step = step->step;
}

__global__ void __launch_bounds__(kThreadsAtMost)
    softmaxKernel(const float* outputs, int32_t units, int32_t stride, int32_t count, float* predictions) {
  __shared__ SharedFindings shared;
  const ColumnThread thread;
  findInOutputs<true>(outputs, units, stride, thread, shared);
  float top[4], inverse[4];
  for (int k = 0; k < 4; ++k) {
    top[k] = shared[0][thread.inBlock + k].top;
    inverse[k] = 1.0f / shared[0][thread.inBlock + k].sum;
  }
  for (int32_t unit = thread.firstRow; unit < units; unit += thread.rowStep) {
    const Four y = loadFour(outputs + int64_t{unit} * stride + thread.sample);
    for (int k = 0; k < 4; ++k) {
      if (thread.sample + k >= count) continue;
      predictions[int64_t{thread.sample + k} * units + unit] = expf(y.at[k] - top[k]) * inverse[k];
    }
  }
}

__global__ void __launch_bounds__(kThreadsAtMost)
    outputsKernel(bool sigmoid, const float* outputs, int32_t units, int32_t stride, int32_t count,
                  float* predictions) {
  const ColumnThread thread;
  for (int32_t unit = thread.firstRow; unit < units; unit += thread.rowStep) {
    const Four y = loadFour(outputs + int64_t{unit} * stride + thread.sample);
    for (int k = 0; k < 4; ++k) {
      if (thread.sample + k >= count) continue;
      predictions[int64_t{thread.sample + k} * units + unit] =
          sigmoid ? 1.0f / (1.0f + expf(-y.at[k])) : y.at[k];
    }
  }
}

}  // namespace

void lossAndGradient(const Context& context, Loss loss, const float* outputs, FeaturesOut gradient,
                     int32_t units, int32_t stride, const StepParameters* step, double* losses,
                     int32_t* rights, StepOutcome* outcomes, int32_t slots) {
  auto* kernel = softmaxLossKernel;
  if (loss == Loss::BinaryCrossEntropy) kernel = meanLossKernel<Loss::BinaryCrossEntropy>;
  if (loss == Loss::SquaredError) kernel = meanLossKernel<Loss::SquaredError>;
  launch(context, kernel, columnShape(units, stride), outputs, gradient, units, stride, step, losses, rights);
  launch(context, outcomeKernel, {dim3(1), dim3(kSumThreads)}, losses, rights, step, outcomes, slots);
}

void predictionsOf(const Context& context, Loss loss, const float* outputs, int32_t units, int32_t stride,
                   int32_t count, float* predictions) {
  const LaunchShape shape = columnShape(units, stride);
  if (loss == Loss::SoftmaxCrossEntropy) {
    launch(context, softmaxKernel, shape, outputs, units, stride, count, predictions);
  } else {
    launch(context, outputsKernel, shape, loss == Loss::BinaryCrossEntropy, outputs, units, stride, count,
           predictions);
  }
}

}  // namespace espalier::cuda
