#include "rewire/mest.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/random.h"
#include "base/share.h"
#include "rewire/change_layer.h"
#include "rewire/host_growth.h"
#include "rewire/planned.h"
#include "rewire/prune.h"
#include "sparse/over_weights.h"

namespace espalier {
namespace {

constexpr const char* kEntries = "mest.entries";

/// Norms of one block: of its weights and of their gradients.
struct Norms {
  double weight = 0;
  double gradient = 0;
};

Norms normsOf(const Pattern& pattern, int64_t entry, int64_t blockRow, std::span<const float> values,
              const GradientPanel& panel) {
  double weights = 0, gradients = 0;
  overWeights(pattern, blockRow, entry, [&](int64_t index, int64_t row, int64_t column) {
    const double w = values[index], g = panel.at(row, column);
    weights += w * w;
    gradients += g * g;
  });
  return {std::sqrt(weights), std::sqrt(gradients)};
}

}  // namespace

Array<float> mestImportance(const Pattern& pattern, std::span<const float> values,
                            const ReadGradient& gradient, size_t layer, double lambda) {
  require(static_cast<int64_t>(values.size()) >= pattern.values(), ErrorCode::Internal,
          "too few values to weigh");
  const int64_t height = pattern.block().rows;
  Array<float> importance(static_cast<size_t>(pattern.entries()));
  overGradient(gradient, layer, pattern.grid(), [&](const GradientPanel& panel) {
    const int64_t first = panel.firstRow / height;
    for (int64_t row = first; row < first + divideUp(panel.rows, height); ++row) {
      for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry) {
        const Norms norms = normsOf(pattern, entry, row, values, panel);
        importance[entry] = static_cast<float>(norms.weight + lambda * norms.gradient);
      }
    }
  });
  return importance;
}

void Mest::begin(NetworkState& network) const {
  if (!softBound_) return;
  for (LayerState& layer : network.layers) {
    if (!layer.isSparse() || layer.memory.find(kEntries, 1) != nullptr) continue;
    layer.memory.make(kEntries, 1)[0] = static_cast<int32_t>(layer.pattern.entries());
  }
}

std::vector<LayerMoves> Mest::rewire(const HostRewiring& rewiring) const {
  NetworkState& network = rewiring.network;
  const int64_t next = rewiring.step + intervalOf(rewiring.schedule, rewiring.run);
  const bool last = !rewiresAt(rewiring.schedule, rewiring.run, next);
  RewirePlan plan;
  plan.initialization = {InitializationKind::Zeros, 0};
  plan.seed = rewiring.seed;
  std::vector<LayerMoves> moves;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    LayerState& layer = network.layers[i];
    if (!layer.isSparse()) continue;
    const Living living(network, i);
    const int64_t entries = layer.pattern.entries();
    const int64_t base = softBound_ ? layer.memory.make(kEntries, 1)[0] : entries;
    const int64_t moved = wholeShare(rewiring.fraction, base);
    Array<int32_t> dropped =
        smallestOf(mestImportance(layer.pattern, layer.weight.values.span(), rewiring.gradient, i, lambda_),
                   softBound_ ? std::max<int64_t>(0, entries - base) : moved);
    const Array<int64_t> kept = keptPositions(layer.pattern, dropped);
    const int64_t room = living.positions() - static_cast<int64_t>(kept.size());
    const int64_t count = softBound_ && last ? 0 : std::min(moved, room);
    const uint64_t seed = deriveSeed(plan.seed, RandomPurpose::Growth, static_cast<uint32_t>(i), 0);
    moves.push_back(changeLayer(layer, static_cast<int64_t>(i), std::move(dropped),
                                growAtRandom(living, kept, count, seed),
                                plannedConnections(network, plan, i)));
  }
  return moves;
}

}  // namespace espalier
