#include "device/cuda/kernels/neurons.h"

#include <type_traits>

#include "device/cuda/kernels/update.cuh"
#include "device/cuda/kernels/vectors.cuh"

namespace espalier::cuda {
namespace {

/// The parameters of one neuron's activation.
struct Neuron {
  float alpha = 0;
  float leftThreshold = 0;
  float leftSlope = 0;
  float rightThreshold = 0;
  float rightSlope = 0;
};

template <Activation Kind>
__device__ __forceinline__ Neuron neuronOf(const NeuronFunction& function, int32_t row) {
  Neuron neuron;
  neuron.alpha = function.alpha;
  if constexpr (Kind == Activation::Srelu) {
    const int64_t units = function.units;
    neuron.leftThreshold = function.srelu[row];
    neuron.leftSlope = function.srelu[units + row];
    neuron.rightThreshold = function.srelu[2 * units + row];
    neuron.rightSlope = function.srelu[3 * units + row];
  }
  return neuron;
}

__device__ __forceinline__ float logistic(float x) {
  return 1.0f / (1.0f + expf(-x));
}

/// The standard normal distribution function; the complement keeps its digits where x is far below 0.
__device__ __forceinline__ float normalCumulative(float x) {
  return 0.5f * erfcf(-0.70710678118654752f * x);
}

template <Activation Kind>
__device__ __forceinline__ float activated(float z, const Neuron& n) {
  // Comparisons are written so that NaN comes through.
  if constexpr (Kind == Activation::Relu) return z < 0.0f ? 0.0f : z;
  if constexpr (Kind == Activation::LeakyRelu || Kind == Activation::AllRelu) {
    return z > 0.0f ? z : z * n.alpha;
  }
  if constexpr (Kind == Activation::Srelu) {
    // The right part wins where the thresholds have crossed.
    if (!(z < n.rightThreshold)) return fmaf(n.rightSlope, z - n.rightThreshold, n.rightThreshold);
    return z > n.leftThreshold ? z : fmaf(n.leftSlope, z - n.leftThreshold, n.leftThreshold);
  }
  if constexpr (Kind == Activation::Tanh) return tanhf(z);
  if constexpr (Kind == Activation::Sigmoid) return logistic(z);
  if constexpr (Kind == Activation::Gelu) return z * normalCumulative(z);
  if constexpr (Kind == Activation::Silu) return z * logistic(z);
  return z;
}

/// activation'(z), where z is the activation's output if derivativeFromOutput() says so.
template <Activation Kind>
__device__ __forceinline__ float derivative(float z, const Neuron& n) {
  if constexpr (Kind == Activation::Relu) return z > 0.0f ? 1.0f : 0.0f;
  if constexpr (Kind == Activation::LeakyRelu || Kind == Activation::AllRelu) {
    return z > 0.0f ? 1.0f : n.alpha;
  }
  if constexpr (Kind == Activation::Srelu) {
    if (!(z < n.rightThreshold)) return n.rightSlope;
    return z > n.leftThreshold ? 1.0f : n.leftSlope;
  }
  if constexpr (Kind == Activation::Tanh) return 1.0f - z * z;
  if constexpr (Kind == Activation::Sigmoid) return z * (1.0f - z);
  if constexpr (Kind == Activation::Gelu) {
    const float density = 0.3989422804014327f * expf(-0.5f * z * z);
    return fmaf(z, density, normalCumulative(z));
  }
  if constexpr (Kind == Activation::Silu) {
    const float s = logistic(z);
    return s * fmaf(z, 1.0f - s, 1.0f);
  }
  return 1.0f;
}

template <Activation Kind>
__global__ void __launch_bounds__(kElementThreads)
    activateKernel(NeuronFunction function, const float* bias, float* z, FeaturesOut output, int32_t stride) {
  const Element element;
  if (!element.within(function.units, stride)) return;
  const int64_t place = element.place(stride);
  const Neuron neuron = neuronOf<Kind>(function, element.row);
  Four x = loadFour(z + place);
  if (bias != nullptr) {
    const float shift = bias[element.row];
    for (float& value : x.at) value += shift;
    if (z != output.values) storeFour(x, z + place);
  }
  for (float& value : x.at) value = activated<Kind>(value, neuron);
  storeFour(x, output, place);
}

/// Adds what one sample gives to the gradients of SReLU's parameters, in the order of their rows.
__device__ __forceinline__ void addSreluGradient(float x, float gradient, const Neuron& n, float* sums) {
  const float right = x < n.rightThreshold ? 0.0f : gradient;
  const float left = x > n.leftThreshold ? 0.0f : gradient - right;
  sums[0] = fmaf(left, 1.0f - n.leftSlope, sums[0]);
  sums[1] = fmaf(left, x - n.leftThreshold, sums[1]);
  sums[2] = fmaf(right, 1.0f - n.rightSlope, sums[2]);
  sums[3] = fmaf(right, x - n.rightThreshold, sums[3]);
}

template <Activation Kind, int WarpsPerRow>
__global__ void __launch_bounds__(kRowThreads)
    activateBackwardKernel(NeuronFunction function, const float* source, FeaturesOut gradient, int32_t stride,
                           UpdateRule rule, UpdateTarget bias, UpdateTarget srelu,
                           const StepParameters* step) {
  // The first sum is the bias's gradient, the others are SReLU's.
  constexpr int kSums = Kind == Activation::Srelu ? 5 : 1;
  using Thread = RowThread<WarpsPerRow>;
  const Thread thread;
  if (thread.row >= function.units) return;
  const Neuron neuron = neuronOf<Kind>(function, thread.row);
  float sums[kSums] = {};
  for (int32_t sample = 4 * thread.number; sample < stride; sample += 4 * Thread::kThreads) {
    const int64_t place = int64_t{thread.row} * stride + sample;
    Four g = loadFour(gradient.values + place);
    if constexpr (Kind == Activation::Linear) {
      if (gradient.rounded != nullptr) storeRounded(g, gradient.rounded + place);
    } else {
      const Four x = loadFour(source + place);
      for (int k = 0; k < 4; ++k) {
        if constexpr (Kind == Activation::Srelu) addSreluGradient(x.at[k], g.at[k], neuron, sums + 1);
        g.at[k] *= derivative<Kind>(x.at[k], neuron);
      }
      storeFour(g, gradient, place);
    }
    sums[0] += (g.at[0] + g.at[1]) + (g.at[2] + g.at[3]);
  }
  const float total = rowTotal<WarpsPerRow>(sums, thread.number);
  if (thread.number >= kSums || !step->moveWeights) return;
  if (thread.number == 0) {
    if (bias.weights != nullptr) moveWeight(rule, *step, bias, thread.row, total);
  } else if (srelu.weights != nullptr) {
    const int64_t parameter = int64_t{thread.number - 1} * function.units + thread.row;
    moveWeight(rule, *step, srelu, parameter, total);
  }
}

/// Calls use(the activation as a type).
template <typename Use>
void withActivation(Activation kind, const Use& use) {
  switch (kind) {
    case Activation::Linear:
      return use(std::integral_constant<Activation, Activation::Linear>{});
    case Activation::Relu:
      return use(std::integral_constant<Activation, Activation::Relu>{});
    case Activation::LeakyRelu:
      return use(std::integral_constant<Activation, Activation::LeakyRelu>{});
    case Activation::AllRelu:
      return use(std::integral_constant<Activation, Activation::AllRelu>{});
    case Activation::Srelu:
      return use(std::integral_constant<Activation, Activation::Srelu>{});
    case Activation::Tanh:
      return use(std::integral_constant<Activation, Activation::Tanh>{});
    case Activation::Sigmoid:
      return use(std::integral_constant<Activation, Activation::Sigmoid>{});
    case Activation::Gelu:
      return use(std::integral_constant<Activation, Activation::Gelu>{});
    case Activation::Silu:
      return use(std::integral_constant<Activation, Activation::Silu>{});
  }
}

}  // namespace

bool derivativeFromOutput(const NeuronFunction& function) {
  switch (function.kind) {
    case Activation::Linear:
    case Activation::Relu:
    case Activation::Tanh:
    case Activation::Sigmoid:
      return true;
    case Activation::LeakyRelu:
      // A negative slope would hide the sign of z.
      return function.alpha >= 0;
    default:
      return false;
  }
}

void activate(const Context& context, const NeuronFunction& function, const float* bias, float* z,
              FeaturesOut output, int32_t stride) {
  const bool changesNothing = function.kind == Activation::Linear && bias == nullptr && z == output.values &&
                              output.rounded == nullptr;
  if (changesNothing) return;
  withActivation(function.kind, [&](auto kind) {
    launch(context, activateKernel<decltype(kind)::value>, elementShape(function.units, stride), function,
           bias, z, output, stride);
  });
}

void activateBackward(const Context& context, const NeuronFunction& function, const float* source,
                      FeaturesOut gradient, int32_t stride, const UpdateRule& rule, const UpdateTarget& bias,
                      const UpdateTarget& srelu, const StepParameters* step) {
  const bool changesNothing =
      function.kind == Activation::Linear && bias.weights == nullptr && gradient.rounded == nullptr;
  if (changesNothing) return;
  withActivation(function.kind, [&](auto kind) {
    constexpr Activation kKind = decltype(kind)::value;
    const bool wholeBlock = stride > kLongestWarpRow;
    launch(context, wholeBlock ? activateBackwardKernel<kKind, kRowWarps> : activateBackwardKernel<kKind, 1>,
           rowShape(function.units, wholeBlock ? kRowWarps : 1), function, source, gradient, stride,
           withoutDecay(rule), bias, srelu, step);
  });
}

}  // namespace espalier::cuda
