#pragma once

#include <cstdint>

#include "topology/initialize.h"

namespace espalier {

enum class DropRule { Magnitude, BySign };
enum class GrowRule { Random, Gradient };

/// What a rewiring is to do, decided once above the devices; a device only carries it out.
struct RewirePlan {
  DropRule drop = DropRule::Magnitude;
  GrowRule grow = GrowRule::Random;
  /// Share of each layer's entries that move; k = floor(entries x fraction).
  double fraction = 0;
  /// SET starts a connection that comes back afresh; RigL lets it keep its weight and optimizer state.
  bool returnedKeepState = false;
  Initialization initialization;
  /// Seed of this rewiring; a layer's own is derived from it and the layer's index.
  uint64_t seed = 0;
};

/// What a rewiring did to one layer, in weights.
struct LayerMoves {
  int64_t layer = 0;
  /// Laid anew, those that came back to where they were included.
  int64_t moved = 0;
  int64_t returned = 0;
};

}  // namespace espalier
