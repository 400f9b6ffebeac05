#include "rewire/granet.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/random.h"
#include "base/share.h"
#include "rewire/host_growth.h"
#include "rewire/planned.h"
#include "rewire/prune.h"

namespace espalier {
namespace {

constexpr const char* kInitial = "granet.initial";

/// Weights of all sparse layers: those that exist, and those there could be.
struct Totals {
  explicit Totals(const NetworkState& network) {
    for (const LayerState& layer : network.layers) {
      if (!layer.isSparse()) continue;
      connections += layer.pattern.connections();
      size += checkedProduct(layer.outputs, layer.inputs);
    }
  }
  int64_t connections = 0;
  int64_t size = 0;
};

int64_t finalConnections(double sparsity, int64_t size) {
  return size - wholeShare(sparsity, size);
}

/// The last step at which anything is pruned, or 0.
int64_t lastStep(const HostRule& rule, const RewireSchedule& schedule, const RunLength& run) {
  const int64_t every = intervalOf(schedule, run);
  const auto end =
      std::min(static_cast<int64_t>(schedule.until * static_cast<double>(run.steps())) + 1, run.steps());
  for (int64_t step = end / every * every; step > 0; step -= every) {
    if (rule.rewiresAt(schedule, run, step)) return step;
    if (static_cast<double>(step) < schedule.until * static_cast<double>(run.steps())) return 0;
  }
  return 0;
}

/// How many entries each layer loses where the smallest of all go, as long as no fewer than `target`
/// connections are left. Blocks are compared by their mean square. Of equals those of a later layer go first.
std::vector<int64_t> smallestOfAll(const NetworkState& network, int64_t target) {
  Array<uint64_t> keys;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const LayerState& layer = network.layers[i];
    const int32_t blockSize = layer.pattern.block().size();
    for (int64_t entry = 0; entry < layer.pattern.entries(); ++entry) {
      double sum = 0;
      for (int32_t k = 0; k < blockSize; ++k) {
        const double weight = layer.weight.values[entry * blockSize + k];
        sum += weight * weight;
      }
      const auto size = static_cast<float>(std::sqrt(sum / blockSize));
      keys.push_back(uint64_t{std::bit_cast<uint32_t>(size)} << 32 |
                     (0xFFFFFFFFu - static_cast<uint32_t>(i)));
    }
  }
  std::ranges::sort(keys);
  std::vector<int64_t> lost(network.layers.size(), 0);
  int64_t left = Totals(network).connections;
  for (const uint64_t key : keys) {
    const size_t layer = 0xFFFFFFFFu - static_cast<uint32_t>(key);
    left -= network.layers[layer].pattern.block().size();
    if (left < target) break;
    ++lost[layer];
  }
  return lost;
}

}  // namespace

void Granet::check(const NetworkState& network, const RewireSchedule& schedule, const RunLength& run) const {
  const Totals totals(network);
  require(lastStep(*this, schedule, run) > 0, ErrorCode::Option,
          "granet: no rewiring lies between from and until in a run of " + std::to_string(run.steps()) +
              " steps; allowed: a smaller `every`, or a longer run");
  require(finalConnections(finalSparsity_, totals.size) <= totals.connections, ErrorCode::Option,
          "granet: finalSparsity is " + std::to_string(finalSparsity_) +
              ", and the network is sparser already (" +
              std::to_string(1 - static_cast<double>(totals.connections) / static_cast<double>(totals.size)) +
              "); allowed: a larger finalSparsity, or a denser network");
}

void Granet::begin(NetworkState& network) const {
  for (LayerState& layer : network.layers) {
    if (!layer.isSparse() || layer.memory.find(kInitial, 1) != nullptr) continue;
    layer.memory.make(kInitial, 1)[0] = static_cast<int32_t>(layer.pattern.entries());
  }
}

bool Granet::rewiresAt(const RewireSchedule& schedule, const RunLength& run, int64_t step) const {
  return static_cast<double>(step) >= from_ * static_cast<double>(run.steps()) &&
         espalier::rewiresAt(schedule, run, step);
}

int64_t Granet::connectionsAfter(const HostRewiring& rewiring) const {
  const Totals now(rewiring.network);
  double initial = 0;
  for (LayerState& layer : rewiring.network.layers) {
    if (!layer.isSparse()) continue;
    initial += static_cast<double>(layer.memory.make(kInitial, 1)[0]) * layer.pattern.block().size();
  }
  const double first = from_ * static_cast<double>(rewiring.run.steps());
  const auto last = static_cast<double>(lastStep(*this, rewiring.schedule, rewiring.run));
  const double way = last > first ? (static_cast<double>(rewiring.step) - first) / (last - first) : 1;
  const double rest = std::pow(1 - std::clamp(way, 0.0, 1.0), 3);
  const auto size = static_cast<double>(now.size);
  const double initialSparsity = 1 - initial / size;
  const int64_t target =
      finalConnections(finalSparsity_ + (initialSparsity - finalSparsity_) * rest, now.size);
  return std::min(target, now.connections);
}

std::vector<LayerMoves> Granet::rewire(const HostRewiring& rewiring) const {
  NetworkState& network = rewiring.network;
  const std::vector<int64_t> lost = smallestOfAll(network, connectionsAfter(rewiring));
  for (size_t i = 0; i < lost.size(); ++i) {
    const int64_t entries = network.layers[i].pattern.entries();
    require(entries == 0 || lost[i] < entries, ErrorCode::Option,
            "granet: at step " + std::to_string(rewiring.step) + " pruning would leave layer " +
                std::to_string(i) + " without a connection; allowed: a smaller finalSparsity");
  }
  RewirePlan plan;
  plan.returnedKeepState = true;
  plan.initialization = {InitializationKind::Zeros, 0};
  plan.seed = rewiring.seed;
  std::vector<LayerMoves> moves;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    LayerState& layer = network.layers[i];
    if (!layer.isSparse()) continue;
    const int64_t regenerated = wholeShare(rewiring.fraction, layer.pattern.entries() - lost[i]);
    Array<int32_t> dropped =
        smallestEntries(layer.pattern, layer.weight.values.span(), lost[i] + regenerated);
    Array<int64_t> grown = growByGradient(Living(network, i), keptPositions(layer.pattern, dropped),
                                          regenerated, rewiring.gradient, i);
    moves.push_back(changeLayer(layer, static_cast<int64_t>(i), std::move(dropped), std::move(grown),
                                plannedConnections(network, plan, i)));
  }
  return moves;
}

}  // namespace espalier
