#include "rewire/snfs.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/share.h"
#include "rewire/change_layer.h"
#include "rewire/host_growth.h"
#include "rewire/planned.h"
#include "rewire/prune.h"
#include "sparse/over_weights.h"
#include "topology/share_out.h"

namespace espalier {
namespace {

constexpr const char* kAverage = "snfs.average";

AlignedBuffer<float>& averageOf(LayerState& layer) {
  return layer.memory.makeFloats(kAverage, checkedProduct(layer.outputs, layer.inputs));
}

/// The average as what reads a gradient expects it.
ReadGradient readerOf(NetworkState& network) {
  return [&network](size_t layer, int64_t firstRow, int64_t, std::span<float> values) {
    const float* const from =
        averageOf(network.layers[layer]).data() + firstRow * network.layers[layer].inputs;
    std::copy_n(from, values.size(), values.begin());
  };
}

/// A sparse layer on its way through a rewiring.
struct Moving {
  size_t layer = 0;
  Living living;
  Array<int32_t> dropped;
  Array<int64_t> kept;
};

/// Blocks that each layer grows.
std::vector<int64_t> growthOf(NetworkState& network, const std::vector<Moving>& layers, bool redistributes) {
  std::vector<int64_t> counts, room;
  std::vector<double> momentum;
  int64_t total = 0;
  for (const Moving& moving : layers) {
    LayerState& layer = network.layers[moving.layer];
    momentum.push_back(meanMomentum(layer.pattern, averageOf(layer).span()));
    // One at least where all was dropped: no layer may be left without a connection.
    counts.push_back(redistributes ? (moving.kept.empty() ? 1 : 0)
                                   : static_cast<int64_t>(moving.dropped.size()));
    room.push_back(moving.living.positions() - static_cast<int64_t>(moving.kept.size()) - counts.back());
    total += static_cast<int64_t>(moving.dropped.size()) - counts.back();
  }
  if (!redistributes) return counts;
  const std::vector<int64_t> more = redistribute(total, momentum, room);
  std::ranges::transform(counts, more, counts.begin(), std::plus());
  return counts;
}

}  // namespace

void smoothGradient(const ReadGradient& gradient, size_t layer, const Grid& grid, double smoothing,
                    std::span<float> average) {
  require(static_cast<int64_t>(average.size()) == checkedProduct(grid.rows, grid.columns),
          ErrorCode::Internal, "an average of another shape");
  const auto keep = static_cast<float>(smoothing);
  overGradient(gradient, layer, grid, [&](const GradientPanel& panel) {
    float* const target = average.data() + panel.firstRow * grid.columns;
    for (size_t i = 0; i < panel.values.size(); ++i) {
      target[i] = keep * target[i] + (1 - keep) * panel.values[i];
    }
  });
}

double meanMomentum(const Pattern& pattern, std::span<const float> average) {
  double sum = 0;
  overAllWeights(pattern, [&](int64_t, int64_t row, int64_t column) {
    sum += std::abs(average[row * pattern.grid().columns + column]);
  });
  return pattern.connections() == 0 ? 0 : sum / static_cast<double>(pattern.connections());
}

std::vector<int64_t> redistribute(int64_t total, std::span<const double> momentum,
                                  std::span<const int64_t> room) {
  // What is no finite number says nothing about a layer.
  std::vector<double> weights(momentum.begin(), momentum.end());
  for (double& weight : weights) weight = std::isfinite(weight) ? weight : 0;
  return shareOut(total, weights, room);
}

void Snfs::check(const NetworkState& network, const RewireSchedule&, const RunLength&) const {
  const BlockShape* first = nullptr;
  for (const LayerState& layer : network.layers) {
    if (!layer.isSparse()) continue;
    if (first == nullptr) first = &layer.pattern.block();
    require(
        !redistributes_ || layer.pattern.block() == *first, ErrorCode::Option,
        "snfs: connections can move from layer to layer only where the blocks of all sparse layers are of "
        "one shape; allowed: redistribute: false, or one block shape");
  }
}

void Snfs::begin(NetworkState& network) const {
  for (LayerState& layer : network.layers) {
    if (layer.isSparse()) averageOf(layer);
  }
}

bool Snfs::observesAt(const RewireSchedule& schedule, const RunLength& run, int64_t step) const {
  const bool ends = static_cast<double>(step) >= schedule.until * static_cast<double>(run.steps());
  return !ends && (step % sampleEvery_ == 0 || rewiresAt(schedule, run, step));
}

void Snfs::observe(const HostRewiring& rewiring) const {
  for (size_t i = 0; i < rewiring.network.layers.size(); ++i) {
    LayerState& layer = rewiring.network.layers[i];
    if (!layer.isSparse()) continue;
    smoothGradient(rewiring.gradient, i, layer.pattern.grid(), smoothing_, averageOf(layer).span());
  }
}

std::vector<LayerMoves> Snfs::rewire(const HostRewiring& rewiring) const {
  NetworkState& network = rewiring.network;
  std::vector<Moving> layers;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const LayerState& layer = network.layers[i];
    if (!layer.isSparse()) continue;
    const int64_t count = wholeShare(rewiring.fraction, layer.pattern.entries());
    Array<int32_t> dropped = smallestEntries(layer.pattern, layer.weight.values.span(), count);
    Array<int64_t> kept = keptPositions(layer.pattern, dropped);
    layers.push_back({i, Living(network, i), std::move(dropped), std::move(kept)});
  }
  const std::vector<int64_t> counts = growthOf(network, layers, redistributes_);

  RewirePlan plan;
  plan.returnedKeepState = true;
  plan.initialization = {InitializationKind::Zeros, 0};
  plan.seed = rewiring.seed;
  const ReadGradient average = readerOf(network);
  std::vector<LayerMoves> moves;
  for (size_t i = 0; i < layers.size(); ++i) {
    Moving& moving = layers[i];
    Array<int64_t> grown = growByGradient(moving.living, moving.kept, counts[i], average, moving.layer);
    moves.push_back(changeLayer(network.layers[moving.layer], static_cast<int64_t>(moving.layer),
                                std::move(moving.dropped), std::move(grown),
                                plannedConnections(network, plan, moving.layer)));
  }
  return moves;
}

}  // namespace espalier
