#include "rewire/planned.h"

#include <utility>

#include "base/random.h"
#include "base/share.h"
#include "rewire/host_growth.h"
#include "rewire/prune.h"

namespace espalier {

Array<int32_t> plannedDrops(const LayerState& layer, const RewirePlan& plan) {
  const auto values = layer.weight.values.span();
  if (plan.drop == DropRule::BySign) return smallestBySign(layer.pattern, values, plan.fraction);
  return smallestEntries(layer.pattern, values, wholeShare(plan.fraction, layer.pattern.entries()));
}

NewConnections plannedConnections(const NetworkState& network, const RewirePlan& plan, size_t layer) {
  return {plan.returnedKeepState, plan.initialization,
          deriveSeed(plan.seed, RandomPurpose::NewWeights, static_cast<uint32_t>(layer), 0),
          network.progress.updates};
}

std::vector<LayerMoves> rewireOnHost(NetworkState& network, const RewirePlan& plan,
                                     const ReadGradient& gradient) {
  std::vector<LayerMoves> moves;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    LayerState& layer = network.layers[i];
    if (network.description.layers[i].kind != LayerKind::Sparse) continue;
    const Living living(network, i);
    Array<int32_t> dropped = plannedDrops(layer, plan);
    const auto count = static_cast<int64_t>(dropped.size());
    const Array<int64_t> kept = keptPositions(layer.pattern, dropped);
    const uint64_t seed = deriveSeed(plan.seed, RandomPurpose::Growth, static_cast<uint32_t>(i), 0);
    Array<int64_t> grown = plan.grow == GrowRule::Gradient ? growByGradient(living, kept, count, gradient, i)
                                                           : growAtRandom(living, kept, count, seed);
    moves.push_back(changeLayer(layer, static_cast<int64_t>(i), std::move(dropped), std::move(grown),
                                plannedConnections(network, plan, i)));
  }
  return moves;
}

}  // namespace espalier
