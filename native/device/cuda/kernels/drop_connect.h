#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/step_parameters.h"

namespace espalier::cuda {

/// DropConnect (Wan et al., ICML 2013), by the Philox numbers that the processor's kernel takes: left =
/// weights where kept, scaled by 1 / (1 - rate), else 0; or a plain copy where the step is not training. Both
/// may be the same array: the gradient of what is left becomes that of the weights by the same function.
/// seed: of the network; each step's own is derived from it, `layer` and the step's number.
void dropConnect(const Context& context, float rate, uint64_t seed, uint32_t layer, const float* weights,
                 float* left, int64_t size, const StepParameters* step);

}  // namespace espalier::cuda
