#include "rewire/inverted_rigl.h"

#include <utility>

#include "base/random.h"
#include "rewire/host_growth.h"
#include "rewire/planned.h"

namespace espalier {

std::vector<LayerMoves> InvertedRigl::rewire(const HostRewiring& rewiring) const {
  NetworkState& network = rewiring.network;
  RewirePlan plan;
  plan.fraction = rewiring.fraction;
  plan.returnedKeepState = true;
  plan.initialization = {InitializationKind::Zeros, 0};
  plan.seed = rewiring.seed;
  std::vector<LayerMoves> moves;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    LayerState& layer = network.layers[i];
    if (!layer.isSparse()) continue;
    Array<int32_t> dropped = plannedDrops(layer, plan);
    const uint64_t seed = deriveSeed(plan.seed, RandomPurpose::Growth, static_cast<uint32_t>(i), 0);
    Array<int64_t> grown =
        growAgainstGradient(Living(network, i), keptPositions(layer.pattern, dropped),
                            static_cast<int64_t>(dropped.size()), rewiring.gradient, i, seed);
    moves.push_back(changeLayer(layer, static_cast<int64_t>(i), std::move(dropped), std::move(grown),
                                plannedConnections(network, plan, i)));
  }
  return moves;
}

}  // namespace espalier
