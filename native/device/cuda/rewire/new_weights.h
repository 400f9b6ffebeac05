#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/pattern/device_pattern.h"
#include "topology/initialize.h"

namespace espalier::cuda {

/// Draws the weights of the entries whose source is below 0, as initializeNewWeights() does and equal to its
/// numbers to the rounding of float32; padding stays as it is. For Xavier the pattern's column offsets must
/// be those of its CSR view.
void drawNewWeights(Context& context, const DevicePattern& pattern, const int32_t* source,
                    const Initialization& initialization, uint64_t seed, float* values);

}  // namespace espalier::cuda
