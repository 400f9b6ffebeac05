#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/pattern/device_pattern.h"
#include "device/cuda/rewire/drop.h"
#include "device/cuda/rewire/rewire_layer.h"
#include "device/cuda/rewire/rewire_state.h"
#include "topology/initialize.h"

namespace espalier::cuda {

/// What becomes of entries that move.
struct MoveRule {
  /// Whether an entry that was dropped and grown again goes on with its weight and state.
  bool returnedKeepState = false;
  Initialization initialization;
  /// Of the new weights.
  uint64_t seed = 0;
  /// Where new connections count their updates from.
  int32_t updates = 0;
};

/// Merges what is kept and what has grown into the pattern's CSR view, and lets weights and optimizer state
/// follow, in the same arrays; new ones start as initializeNewWeights() says. Counts returned entries in the
/// state. Takes all its memory before anything changes: of blocks one array, else none that matters and none
/// beyond scratchBytes. The transpose view is scratch: rebuild the views afterwards.
void moveConnections(Context& context, DevicePattern& pattern, DeviceParameter& weight, Drops drops,
                     Grown grown, const MoveRule& rule, int64_t scratchBytes, RewireState& state);

}  // namespace espalier::cuda
