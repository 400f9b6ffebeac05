#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/step_parameters.h"
#include "model/optimizer.h"

namespace espalier::cuda {

/// The optimizer as kernels see it; learning rate and step number are in StepParameters. Formulas: see
/// model/optimizer.h.
struct UpdateRule {
  OptimizerKind kind = OptimizerKind::Sgd;
  float weightDecay = 0;
  float l1 = 0;
  float momentum = 0;
  bool nesterov = false;
  float beta1 = 0;
  float beta2 = 0;
  float epsilon = 0;
  /// Adam's 1 / (1 - beta^t) for t = 1 .. corrections, by age of the weight; the last one holds beyond.
  const float* firstCorrection = nullptr;
  const float* secondCorrection = nullptr;
  int32_t corrections = 0;
};

/// The same without weight decay and L1: for biases and the like.
inline UpdateRule withoutDecay(UpdateRule rule) {
  rule.weightDecay = 0;
  rule.l1 = 0;
  return rule;
}

/// Arrays that an update walks side by side. first and second are null where the rule has none; births is the
/// update after which each weight began, or null for 0.
struct UpdateTarget {
  float* weights = nullptr;
  float* first = nullptr;
  float* second = nullptr;
  const int32_t* births = nullptr;
};

/// What becomes of the gradient of weights that a product has computed: it goes to the optimizer at once, or,
/// where `gradient` is not null, is stored there and moves nothing.
struct GradientSink {
  float* gradient = nullptr;
  UpdateRule rule;
  UpdateTarget target;
  /// In the card's memory.
  const StepParameters* step = nullptr;
};

/// Moves `size` weights by their gradients, unless the step moves none.
void updateWeights(const Context& context, const UpdateRule& rule, const UpdateTarget& target,
                   const float* gradient, int64_t size, const StepParameters* step);

}  // namespace espalier::cuda
