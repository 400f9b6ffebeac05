#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/libraries/blas.h"
#include "device/cuda/pattern/device_pattern.h"
#include "device/cuda/rewire/drop.h"
#include "device/cuda/rewire/rewire_layer.h"
#include "device/cuda/rewire/rewire_state.h"

namespace espalier::cuda {

/// RigL's growth: as many positions as were dropped, those with the largest gradient among all that are not
/// kept, of equals the smaller position. Exact, whatever the panels and the order in which kernels run. The
/// gradient comes in panels; a sample of it tells about how large a gradient must be to win, everything that
/// reaches that is gathered, and of these a radix select takes the winners. Where the sample misled, the
/// bound is found digit by digit from the panels themselves. Uses the pattern's transpose view as scratch.
/// most: a bound on the number dropped, at least 1. Waits for the stream. Throws Error(Diverged) where too
/// few gradients are numbers.
Grown growByGradient(Context& context, Blas& blas, DevicePattern& pattern, const Drops& drops, int64_t most,
                     const GradientSides& sides, int64_t scratchBytes, RewireState& state);

}  // namespace espalier::cuda
