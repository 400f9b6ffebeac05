#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/features.h"
#include "device/cuda/kernels/update.h"

namespace espalier::cuda {

/// output = gain x (input - mean) / sqrt(variance + epsilon) + shift over the features of each sample. Keeps
/// mean and 1 / deviation, `stride` numbers each.
void layerNorm(const Context& context, const float* input, FeaturesOut output, int32_t features,
               int32_t stride, const float* gain, const float* shift, float epsilon, float* mean,
               float* inverseDeviation);

/// From the gradient of the output: writes that of the input (nothing where inputGradient.values is null),
/// then gives the gradients of gain and shift to the optimizer, without weight decay. gradient and
/// inputGradient are different arrays. scratch: 2 x stride floats.
void layerNormBackward(const Context& context, const float* input, const float* gradient,
                       FeaturesOut inputGradient, int32_t features, int32_t stride, const float* mean,
                       const float* inverseDeviation, const UpdateRule& rule, const UpdateTarget& gain,
                       const UpdateTarget& shift, const StepParameters* step, float* scratch);

}  // namespace espalier::cuda
