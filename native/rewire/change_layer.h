#pragma once

#include <cstdint>
#include <span>

#include "model/state.h"
#include "rewire/plan.h"

namespace espalier {

/// How connections begin that are laid while training.
struct NewConnections {
  /// Whether one that was dropped and laid again at once goes on with its weight and optimizer state.
  bool returnedKeepState = false;
  Initialization initialization{InitializationKind::Zeros, 0};
  /// Of the random numbers of their weights.
  uint64_t seed = 0;
  /// Optimizer steps done; from there their own count runs.
  int64_t updates = 0;
};

/// Changes which connections a sparse layer has; weights and optimizer state follow them, and new ones begin
/// with no state. dropped: ascending entries; grown: ascending block positions that are not kept ones; they
/// may differ in number, but some entry must remain. What is passed in is freed on the way. Where memory is
/// refused nothing has changed, or, for weights drawn by fan-in, new ones are still 0.
LayerMoves changeLayer(LayerState& state, int64_t layer, Array<int32_t> dropped, Array<int64_t> grown,
                       const NewConnections& fresh);

/// Positions of the entries that are not dropped, ascending.
Array<int64_t> keptPositions(const Pattern& pattern, std::span<const int32_t> dropped);

}  // namespace espalier
