#include "rewire/cht.h"

#include <utility>

#include "base/random.h"
#include "base/share.h"
#include "rewire/change_layer.h"
#include "rewire/link_prediction.h"
#include "rewire/living.h"
#include "rewire/planned.h"
#include "rewire/prune.h"

namespace espalier {
namespace {

constexpr const char* kSettled = "cht.settled";

}  // namespace

void Cht::begin(NetworkState& network) const {
  if (!stopAt_) return;
  for (LayerState& layer : network.layers) {
    if (layer.isSparse()) layer.memory.make(kSettled, 1);
  }
}

std::vector<LayerMoves> Cht::rewire(const HostRewiring& rewiring) const {
  ThreadPool pool(rewiring.threads);
  std::vector<LayerMoves> moves;
  for (size_t i = 0; i < rewiring.network.layers.size(); ++i) {
    LayerState& layer = rewiring.network.layers[i];
    if (!layer.isSparse()) continue;
    if (stopAt_ && layer.memory.make(kSettled, 1)[0] != 0) {
      moves.push_back({static_cast<int64_t>(i), 0, 0});
      continue;
    }
    const LayerMoves moved = rewireLayer(rewiring, i, pool);
    if (stopAt_ && moved.moved > 0 &&
        static_cast<double>(moved.returned) >= *stopAt_ * static_cast<double>(moved.moved)) {
      layer.memory.make(kSettled, 1)[0] = 1;
    }
    moves.push_back(moved);
  }
  return moves;
}

LayerMoves Cht::rewireLayer(const HostRewiring& rewiring, size_t index, ThreadPool& pool) const {
  NetworkState& network = rewiring.network;
  LayerState& layer = network.layers[index];
  const int64_t count = wholeShare(rewiring.fraction, layer.pattern.entries());
  Array<int32_t> dropped = smallestEntries(layer.pattern, layer.weight.values.span(), count);
  // Removed neurons have no links, so that they change no score.
  const Living living(network, index);
  const Array<int64_t> kept = living.inside(keptPositions(layer.pattern, dropped));
  const LinkChoice choice{temperature_,
                          deriveSeed(rewiring.seed, RandomPurpose::Growth, static_cast<uint32_t>(index), 0)};
  Array<int64_t> grown = growByLinks(living.smallerGrid(), kept, count, choice, pool);
  living.outside(grown);

  RewirePlan plan;
  plan.returnedKeepState = true;
  plan.initialization = initialization_;
  plan.seed = rewiring.seed;
  return changeLayer(layer, static_cast<int64_t>(index), std::move(dropped), std::move(grown),
                     plannedConnections(network, plan, index));
}

}  // namespace espalier
