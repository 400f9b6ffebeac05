#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/pattern/device_pattern.h"
#include "device/cuda/rewire/drop.h"
#include "device/cuda/rewire/rewire_state.h"

namespace espalier::cuda {

/// As many positions as were dropped, drawn among those that are not kept: exactly those of growAtRandom() in
/// rewire/grow.h. most: a bound on their number.
Grown growAtRandom(Context& context, const DevicePattern& pattern, const Drops& drops, int64_t most,
                   uint64_t seed, RewireState& state);

}  // namespace espalier::cuda
