#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/features.h"
#include "device/cuda/kernels/update.h"
#include "model/activation.h"

namespace espalier::cuda {

/// An activation as kernels see it.
struct NeuronFunction {
  Activation kind = Activation::Linear;
  /// Slope of leaky ReLU below zero; for All-ReLU the sign already follows the layer's place.
  float alpha = 0;
  /// SReLU: four rows of `units` numbers: left threshold, left slope, right threshold, right slope.
  const float* srelu = nullptr;
  int32_t units = 0;
};

/// True where the derivative is computed from the activation's output, so that its input need not be kept.
bool derivativeFromOutput(const NeuronFunction& function);

/// z += bias (null for none), then output = function(z), for `units` rows. z and output.values may be the
/// same array, and are where derivativeFromOutput.
void activate(const Context& context, const NeuronFunction& function, const float* bias, float* z,
              FeaturesOut output, int32_t stride);

/// Turns the gradient of the function's output into that of its input, in place, and in the same walk gives
/// the gradients of bias (its row sums) and of SReLU's parameters to the optimizer, without weight decay;
/// target arrays are null where a layer has none. source: z, or the output where derivativeFromOutput.
void activateBackward(const Context& context, const NeuronFunction& function, const float* source,
                      FeaturesOut gradient, int32_t stride, const UpdateRule& rule, const UpdateTarget& bias,
                      const UpdateTarget& srelu, const StepParameters* step);

}  // namespace espalier::cuda
