#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/pattern/device_pattern.h"
#include "device/cuda/rewire/drop_view.h"
#include "device/cuda/rewire/rewire_state.h"
#include "rewire/plan.h"

namespace espalier::cuda {

/// What a layer lets go of.
struct Drops {
  DropView view;
  /// Sums of squares of blocks; empty for 1 x 1.
  DeviceBuffer<float> sizes;
  /// Entries kept before each block row, blockRows + 1.
  DeviceBuffer<int32_t> keptOffsets;
};

/// Selects the entries to drop, exactly those of smallestEntries() or smallestBySign(): radix select on the
/// card, no sort. values must stay as they are while the result is in use.
Drops selectDrops(Context& context, const DevicePattern& pattern, const float* values, DropRule rule,
                  double fraction, RewireState& state);

}  // namespace espalier::cuda
