#pragma once

#include <vector>

#include "model/state.h"
#include "rewire/change_layer.h"
#include "rewire/gradient.h"
#include "rewire/plan.h"

namespace espalier {

/// The entries that a plan drops of a layer, ascending.
Array<int32_t> plannedDrops(const LayerState& layer, const RewirePlan& plan);

/// How a layer's connections begin that a plan lays.
NewConnections plannedConnections(const NetworkState& network, const RewirePlan& plan, size_t layer);

/// SET and RigL on the host: what Device::rewire does with the plan, and the same topology; removed neurons
/// get nothing.
std::vector<LayerMoves> rewireOnHost(NetworkState& network, const RewirePlan& plan,
                                     const ReadGradient& gradient);

}  // namespace espalier
