#include "rewire/snip.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/random.h"
#include "rewire/gradient_sizes.h"
#include "rewire/grow.h"
#include "sparse/over_weights.h"
#include "topology/initialize.h"

namespace espalier {
namespace {

/// Offers every position of a layer, counted from `before`.
void offerAll(const ReadGradient& gradient, const SnipLayer& layer, int64_t before, TopPositions& best) {
  const ReadGradient sensitivity = [&](size_t index, int64_t first, int64_t rows, std::span<float> values) {
    gradient(index, first, rows, values);
    const float* const weights = layer.weights.data() + first * layer.grid.columns;
    for (size_t i = 0; i < values.size(); ++i) values[i] *= weights[i];
  };
  overGradientSizes(sensitivity, layer.layer, layer.grid,
                    [&](int64_t blockRow, std::span<const float> sizes) {
                      const int64_t first = before + blockRow * layer.grid.blockColumns();
                      for (size_t i = 0; i < sizes.size(); ++i)
                        best.offer(sizes[i], first + static_cast<int64_t>(i));
                    });
}

Array<int64_t> winnersOf(TopPositions& best, int64_t count) {
  Array<int64_t> winners = best.finish();
  require(static_cast<int64_t>(winners.size()) == count, ErrorCode::Diverged,
          "snip: the gradient of the dense network is not a number");
  return winners;
}

std::vector<Array<int64_t>> bestOfNetwork(const ReadGradient& gradient, std::span<const SnipLayer> layers) {
  int64_t blocks = 0;
  for (const SnipLayer& layer : layers) {
    require(layer.grid.block == layers.front().grid.block, ErrorCode::Option,
            "snip: with budget 'network' the blocks of all sparse layers must be of one shape");
    blocks += layer.blocks;
  }
  // Layers lie one behind the other, so that a position says which layer it is in.
  TopPositions best(blocks);
  int64_t before = 0;
  for (const SnipLayer& layer : layers) {
    offerAll(gradient, layer, before, best);
    before += layer.grid.positions();
  }
  const Array<int64_t> winners = winnersOf(best, blocks);

  std::vector<Array<int64_t>> kept;
  auto next = winners.begin();
  before = 0;
  for (const SnipLayer& layer : layers) {
    const auto end = std::lower_bound(next, winners.end(), before + layer.grid.positions());
    require(next != end, ErrorCode::Option,
            "snip: budget 'network' leaves layer " + std::to_string(layer.layer) +
                " no connection; budget 'layer' keeps each layer's share");
    Array<int64_t> positions(next, end);
    for (int64_t& position : positions) position -= before;
    kept.push_back(std::move(positions));
    next = end;
    before += layer.grid.positions();
  }
  return kept;
}

/// The network with every connection, as the same seed draws it, and nothing left out at random.
NetworkState denseTwin(const NetworkState& network) {
  NetworkDescription description = network.description;
  description.topology = {};
  for (LayerDescription& layer : description.layers) {
    layer.rate = 0;
    layer.dropConnect = 0;
    if (layer.kind != LayerKind::Sparse) continue;
    layer.kind = LayerKind::Dense;
    layer.block = {};
    layer.masked = false;
  }
  return makeNetwork(description);
}

}  // namespace

std::vector<Array<int64_t>> mostSensitive(const ReadGradient& gradient, std::span<const SnipLayer> layers,
                                          SnipBudget budget) {
  if (budget == SnipBudget::Network) return bestOfNetwork(gradient, layers);
  std::vector<Array<int64_t>> kept;
  for (const SnipLayer& layer : layers) {
    TopPositions best(layer.blocks);
    offerAll(gradient, layer, 0, best);
    kept.push_back(winnersOf(best, layer.blocks));
  }
  return kept;
}

void Snip::start(NetworkState& network, const FirstBatch& firstBatch) const {
  require(
      !network.optimizer.has_value(), ErrorCode::Option,
      "snip prunes a network before its first training, and this one was trained; allowed: a new network, "
      "resume: true, or another rule");
  NetworkState dense = denseTwin(network);
  std::vector<SnipLayer> layers;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Pattern& pattern = network.layers[i].pattern;
    if (pattern.entries() == 0) continue;
    layers.push_back({i, pattern.grid(), dense.layers[i].weight.values.span(), pattern.entries()});
  }
  std::vector<Array<int64_t>> kept;
  firstBatch(dense, [&](const ReadGradient& gradient) { kept = mostSensitive(gradient, layers, budget_); });

  for (size_t k = 0; k < layers.size(); ++k) {
    const SnipLayer& from = layers[k];
    LayerState& layer = network.layers[from.layer];
    Pattern pattern = Pattern::fromPositions(from.grid, kept[k]);
    AlignedBuffer<float> values(pattern.values());
    if (redraws_) {
      const uint64_t seed =
          deriveSeed(network.description.seed, RandomPurpose::Weights, static_cast<uint32_t>(from.layer), 0);
      initializeWeights(pattern, network.description.layers[from.layer].initialization, seed, values.span());
    } else {
      overAllWeights(pattern, [&](int64_t index, int64_t row, int64_t column) {
        values[index] = from.weights[row * pattern.grid().columns + column];
      });
    }
    layer.pattern = std::move(pattern);
    layer.weight.values = std::move(values);
  }
}

}  // namespace espalier
