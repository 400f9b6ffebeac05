#pragma once

#include <cuda_runtime.h>

#include "device/cuda/kernels/update.h"

namespace espalier::cuda {

/// gradient + l1 x sign(weight), 0 at 0.
__device__ __forceinline__ float withL1(const UpdateRule& rule, float gradient, float weight) {
  if (rule.l1 == 0.0f || weight == 0.0f) return gradient;
  return gradient + copysignf(rule.l1, weight);
}

/// The weight after a step of SGD; velocity is read and written only where it is `kept`.
__device__ __forceinline__ float movedBySgd(const UpdateRule& rule, float learningRate, float weight,
                                            float gradient, bool kept, float& velocity) {
  const float g = fmaf(rule.weightDecay, weight, withL1(rule, gradient, weight));
  float direction = g;
  if (kept) {
    velocity = fmaf(rule.momentum, velocity, g);
    direction = rule.nesterov ? fmaf(rule.momentum, velocity, g) : velocity;
  }
  return fmaf(-learningRate, direction, weight);
}

/// The weight after a step of Adam or AdamW. Each weight is corrected by its own age: a connection that has
/// just grown begins at t = 1.
__device__ __forceinline__ float movedByAdam(const UpdateRule& rule, float learningRate, int32_t update,
                                             int32_t birth, float weight, float gradient, float& first,
                                             float& second) {
  float g = withL1(rule, gradient, weight);
  if (rule.kind == OptimizerKind::AdamW) {
    weight *= 1.0f - learningRate * rule.weightDecay;
  } else {
    g = fmaf(rule.weightDecay, weight, g);
  }
  const int32_t age = min(update - birth, rule.corrections) - 1;
  first = fmaf(1.0f - rule.beta1, g - first, first);
  second = fmaf(1.0f - rule.beta2, fmaf(g, g, -second), second);
  const float deviation = sqrtf(second * rule.secondCorrection[age]) + rule.epsilon;
  return fmaf(-learningRate, first * rule.firstCorrection[age] / deviation, weight);
}

/// Moves weight i by its gradient.
__device__ __forceinline__ void moveWeight(const UpdateRule& rule, const StepParameters& step,
                                           const UpdateTarget& target, int64_t i, float gradient) {
  const float weight = target.weights[i];
  if (rule.kind == OptimizerKind::Sgd) {
    const bool kept = target.first != nullptr;
    float velocity = kept ? target.first[i] : 0.0f;
    target.weights[i] = movedBySgd(rule, step.learningRate, weight, gradient, kept, velocity);
    if (kept) target.first[i] = velocity;
    return;
  }
  const int32_t birth = target.births != nullptr ? target.births[i] : 0;
  float first = target.first[i], second = target.second[i];
  target.weights[i] =
      movedByAdam(rule, step.learningRate, step.update, birth, weight, gradient, first, second);
  target.first[i] = first;
  target.second[i] = second;
}

/// Gives the gradient of weight i to the optimizer or stores it, as the sink says.
__device__ __forceinline__ void settleGradient(const GradientSink& sink, int64_t i, float gradient) {
  if (sink.gradient != nullptr) {
    sink.gradient[i] = gradient;
  } else {
    moveWeight(sink.rule, *sink.step, sink.target, i, gradient);
  }
}

}  // namespace espalier::cuda
