// How CpuDevice moves connections: on the host's state, layers side by side.

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "device/cpu/cpu_device.h"
#include "rewire/grow.h"
#include "rewire/planned.h"

namespace espalier::cpu {

/// One sparse layer on its way through a rewiring.
struct CpuDevice::LayerRewiring {
  size_t layer = 0;
  Array<int32_t> dropped;
  Array<int64_t> grown;
  LayerMoves moves;
};

std::vector<LayerMoves> CpuDevice::rewire(const RewirePlan& plan) {
  std::vector<LayerRewiring> rewirings;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (network_.description.layers[i].kind == LayerKind::Sparse) rewirings.push_back({i, {}, {}, {}});
  }
  overLayers(rewirings, [&](LayerRewiring& rewiring) { drop(plan, rewiring); });
  // The gradient of a layer keeps the whole team busy; everything else is one thread's work a layer.
  if (plan.grow == GrowRule::Gradient) {
    for (LayerRewiring& rewiring : rewirings) growByGradient(rewiring);
  } else {
    overLayers(rewirings, [&](LayerRewiring& rewiring) { growAtRandom(plan, rewiring); });
  }
  overLayers(rewirings, [&](LayerRewiring& rewiring) { move(plan, rewiring); });

  std::vector<LayerMoves> moves;
  for (const LayerRewiring& rewiring : rewirings) moves.push_back(rewiring.moves);
  return moves;
}

template <typename Work>
void CpuDevice::overLayers(std::vector<LayerRewiring>& rewirings, const Work& work) {
  const auto threads = static_cast<size_t>(pool_.threads());
  pool_.run([&](int thread) {
    for (size_t i = static_cast<size_t>(thread); i < rewirings.size(); i += threads) work(rewirings[i]);
  });
}

void CpuDevice::drop(const RewirePlan& plan, LayerRewiring& rewiring) const {
  rewiring.dropped = plannedDrops(network_.layers[rewiring.layer], plan);
}

void CpuDevice::growAtRandom(const RewirePlan& plan, LayerRewiring& rewiring) const {
  const Pattern& pattern = network_.layers[rewiring.layer].pattern;
  const uint64_t seed =
      deriveSeed(plan.seed, RandomPurpose::Growth, static_cast<uint32_t>(rewiring.layer), 0);
  rewiring.grown = espalier::growAtRandom(pattern.grid(), keptPositions(pattern, rewiring.dropped),
                                          static_cast<int64_t>(rewiring.dropped.size()), seed);
}

void CpuDevice::growByGradient(LayerRewiring& rewiring) {
  const Pattern& pattern = network_.layers[rewiring.layer].pattern;
  rewiring.grown =
      cpu::growByGradient(kernels_, pool_, pattern.grid(), keptPositions(pattern, rewiring.dropped),
                          static_cast<int64_t>(rewiring.dropped.size()), gradientSides(rewiring.layer));
}

void CpuDevice::move(const RewirePlan& plan, LayerRewiring& rewiring) {
  rewiring.moves = changeLayer(network_.layers[rewiring.layer], static_cast<int64_t>(rewiring.layer),
                               std::move(rewiring.dropped), std::move(rewiring.grown),
                               plannedConnections(network_, plan, rewiring.layer));
  layers_[rewiring.layer]->patternChanged();
}

}  // namespace espalier::cpu
