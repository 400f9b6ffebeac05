#include "rewire/neurons.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "base/random.h"
#include "base/share.h"
#include "rewire/host_growth.h"
#include "rewire/planned.h"
#include "sparse/over_weights.h"

namespace espalier {
namespace {

bool isHiddenSparse(const NetworkState& network, size_t layer) {
  return network.description.layers[layer].kind == LayerKind::Sparse &&
         nextWeighted(network, layer) < network.layers.size();
}

/// The removals of a run, by their epochs.
struct Removals {
  Removals(const NeuronPruning& pruning, const RunLength& run) : every(pruning.every) {
    const auto epochs = static_cast<double>(run.epochs);
    first = std::max<int64_t>(1, -floorOfProduct(-pruning.from * epochs));
    last = std::min(run.epochs - 1, floorOfProduct(pruning.until * epochs));
  }
  int64_t count() const { return first > last ? 0 : (last - first) / every + 1; }
  /// 1 for the first; 0 where there is none after this epoch.
  int64_t numberAfter(int64_t epoch) const {
    if (epoch < first || epoch > last || (epoch - first) % every != 0) return 0;
    return (epoch - first) / every + 1;
  }

  int64_t every;
  int64_t first;
  int64_t last;
};

/// Calls use(output, input, weight) for every weight that exists.
template <typename Use>
void overWeights(const LayerState& layer, const Use& use) {
  const auto weights = layer.weight.values.span();
  const Pattern& pattern = layer.pattern;
  if (!layer.isSparse()) {
    for (int64_t i = 0; i < layer.outputs; ++i) {
      for (int64_t j = 0; j < layer.inputs; ++j) use(i, j, weights[i * layer.inputs + j]);
    }
    return;
  }
  overAllWeights(pattern,
                 [&](int64_t index, int64_t output, int64_t input) { use(output, input, weights[index]); });
}

/// Groups of neurons of a layer that are due to go, as their first neurons.
std::vector<int64_t> groupsDue(const NetworkState& network, size_t layer, const NeuronPruning& pruning,
                               const Removals& removals, int64_t number) {
  const std::vector<double> strengths = neuronStrengths(network, layer, pruning.criterion);
  const auto removed = removedNeurons(network.layers[layer]);
  const int64_t neurons = network.layers[layer].outputs, size = neuronGroup(network, layer);
  std::vector<std::pair<double, int64_t>> living;
  for (int64_t first = 0; first < neurons; first += size) {
    if (!removed.empty() && removed[first] != 0) continue;
    double strength = 0;
    for (int64_t i = first; i < std::min(first + size, neurons); ++i) strength += strengths[i];
    // What is no number any more is not what is worth least.
    living.emplace_back(std::isnan(strength) ? std::numeric_limits<double>::infinity() : strength, -first);
  }
  const auto alive = static_cast<int64_t>(living.size());
  const int64_t groups = divideUp(neurons, size);
  const double soFar = static_cast<double>(number) / static_cast<double>(removals.count());
  const int64_t due =
      pruning.shareOfLiving
          ? wholeShare(pruning.share, alive)
          : std::max<int64_t>(0, wholeShare(pruning.share * soFar, groups) - (groups - alive));
  std::ranges::sort(living);
  std::vector<int64_t> result;
  for (int64_t i = 0; i < std::min(due, alive); ++i) result.push_back(-living[i].second);
  return result;
}

void zero(Parameter& parameter, int64_t index) {
  for (AlignedBuffer<float>* values : {&parameter.values, &parameter.first, &parameter.second}) {
    if (!values->empty()) (*values)[index] = 0;
  }
}

/// Entries of a layer that belong to a removed neuron.
Array<int32_t> deadEntries(const Pattern& pattern, const Living& living) {
  Array<int32_t> dead;
  for (int64_t row = 0; row < pattern.grid().blockRows(); ++row) {
    for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry) {
      if (!living.hasRow(row) || !living.hasColumn(pattern.columns()[entry]))
        dead.push_back(static_cast<int32_t>(entry));
    }
  }
  return dead;
}

/// One sparse layer while neurons go.
struct Cut {
  size_t layer;
  Living living;
  Array<int32_t> dropped;
  int64_t regrown;
};

std::vector<Cut> findCuts(const NetworkState& network, bool keepsBudget) {
  std::vector<Cut> cuts;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Pattern& pattern = network.layers[i].pattern;
    if (pattern.entries() == 0) continue;
    Living living(network, i);
    Array<int32_t> dropped = deadEntries(pattern, living);
    const auto lost = static_cast<int64_t>(dropped.size());
    const int64_t kept = pattern.entries() - lost;
    const int64_t regrown = keepsBudget ? std::min(lost, living.positions() - kept) : 0;
    require(kept + regrown > 0, ErrorCode::Option,
            "neurons: removing so many would leave layer " + std::to_string(i) +
                " without a connection; allowed: a smaller share, a later start, or budget 'keep'");
    cuts.push_back({i, std::move(living), std::move(dropped), regrown});
  }
  return cuts;
}

/// Marks neurons as removed, and takes that back unless it is confirmed.
class Marking {
 public:
  explicit Marking(NetworkState& network) : network_(network) {}
  ~Marking() {
    if (confirmed_) return;
    for (const auto& [layer, neuron] : marked_) makeRemovedNeurons(network_.layers[layer])[neuron] = 0;
  }
  Marking(const Marking&) = delete;
  Marking& operator=(const Marking&) = delete;

  void mark(size_t layer, int64_t neuron) {
    marked_.emplace_back(layer, neuron);
    makeRemovedNeurons(network_.layers[layer])[neuron] = 1;
  }
  void confirm() { confirmed_ = true; }
  const std::vector<std::pair<size_t, int64_t>>& marked() const { return marked_; }

 private:
  NetworkState& network_;
  std::vector<std::pair<size_t, int64_t>> marked_;
  bool confirmed_ = false;
};

}  // namespace

int64_t neuronGroup(const NetworkState& network, size_t layer) {
  const LayerState& above = network.layers[nextWeighted(network, layer)];
  return std::lcm(int64_t{network.layers[layer].pattern.block().rows},
                  int64_t{above.pattern.block().columns});
}

void silenceNeuron(NetworkState& network, size_t layer, int64_t neuron) {
  LayerState& own = network.layers[layer];
  if (!own.bias.empty()) zero(own.bias, neuron);
  if (!own.srelu.empty()) {
    for (int64_t k = 0; k < 4; ++k) {
      zero(own.srelu, k * own.outputs + neuron);
      own.srelu.values[k * own.outputs + neuron] = kSreluStart[k];
    }
  }
  const size_t above = nextWeighted(network, layer);
  for (size_t between = layer + 1; between < above; ++between) {
    LayerState& passed = network.layers[between];
    if (!passed.gain.empty()) zero(passed.gain, neuron);
    if (!passed.shift.empty()) zero(passed.shift, neuron);
  }
  LayerState& next = network.layers[above];
  if (next.isSparse()) return;
  for (int64_t output = 0; output < next.outputs; ++output) {
    zero(next.weight, output * next.inputs + neuron);
  }
}

void checkSilence(const NetworkState& network, size_t layer, const std::string& rule) {
  const size_t above = nextWeighted(network, layer);
  bool normalised = false;
  for (size_t between = layer + 1; between < above; ++between)
    normalised = normalised || !network.layers[between].gain.empty();
  const bool speaks = network.description.layers[layer].activation == Activation::Sigmoid && !normalised;
  require(
      !speaks || network.layers[above].isSparse(), ErrorCode::Option,
      rule + ": layer " + std::to_string(layer) +
          " has the activation sigmoid, which is 1/2 where nothing comes in, and a dense layer above that "
          "would hear it; allowed: another activation, a layerNorm between them, or a sparse layer above");
}

std::vector<double> neuronStrengths(const NetworkState& network, size_t layer, NeuronCriterion criterion) {
  const auto neurons = static_cast<size_t>(network.layers[layer].outputs);
  std::vector<double> in(neurons, 0), out(neurons, 0);
  overWeights(network.layers[layer],
              [&](int64_t neuron, int64_t, float weight) { in[neuron] += std::abs(double{weight}); });
  overWeights(network.layers[nextWeighted(network, layer)],
              [&](int64_t, int64_t neuron, float weight) { out[neuron] += std::abs(double{weight}); });
  if (criterion == NeuronCriterion::Incoming) return in;
  if (criterion == NeuronCriterion::Outgoing) return out;
  for (size_t i = 0; i < neurons; ++i) in[i] *= out[i];
  return in;
}

void checkNeuronPruning(const NetworkState& network, const NeuronPruning& pruning, const RunLength& run) {
  bool found = false;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    if (!isHiddenSparse(network, i)) continue;
    found = true;
    checkSilence(network, i, "neurons");
  }
  require(found, ErrorCode::Option,
          "neurons: no layer has neurons to remove; allowed: a network with a sparse hidden layer");
  require(Removals(pruning, run).count() > 0, ErrorCode::Option,
          "neurons: of " + std::to_string(run.epochs) +
              " epochs none but perhaps the last lies between from " + std::to_string(pruning.from) +
              " and until " + std::to_string(pruning.until) +
              " of training; allowed: more epochs, or a wider time");
}

bool prunesNeuronsAt(const NeuronPruning& pruning, const RunLength& run, int64_t step) {
  if (step % run.stepsPerEpoch != 0) return false;
  return Removals(pruning, run).numberAfter(step / run.stepsPerEpoch) > 0;
}

std::vector<LayerMoves> pruneNeurons(NetworkState& network, const NeuronPruning& pruning,
                                     const RunLength& run, int64_t step, const RewirePlan& plan,
                                     const ReadGradient& gradient) {
  const Removals removals(pruning, run);
  const int64_t number = removals.numberAfter(step / run.stepsPerEpoch);
  Marking marking(network);
  // By the weights as they are before any neuron goes.
  std::vector<std::pair<size_t, std::vector<int64_t>>> due;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    if (isHiddenSparse(network, i)) due.emplace_back(i, groupsDue(network, i, pruning, removals, number));
  }
  for (const auto& [layer, groups] : due) {
    const int64_t neurons = network.layers[layer].outputs, size = neuronGroup(network, layer);
    for (const int64_t first : groups) {
      for (int64_t i = first; i < std::min(first + size, neurons); ++i) marking.mark(layer, i);
    }
  }
  std::vector<Cut> cuts = findCuts(network, pruning.keepsBudget);
  std::vector<LayerMoves> moves;
  for (Cut& cut : cuts) {
    LayerState& layer = network.layers[cut.layer];
    const Array<int64_t> kept = keptPositions(layer.pattern, cut.dropped);
    const uint64_t seed = deriveSeed(plan.seed, RandomPurpose::Growth, static_cast<uint32_t>(cut.layer), 1);
    Array<int64_t> grown = plan.grow == GrowRule::Gradient
                               ? growByGradient(cut.living, kept, cut.regrown, gradient, cut.layer)
                               : growAtRandom(cut.living, kept, cut.regrown, seed);
    NewConnections fresh = plannedConnections(network, plan, cut.layer);
    fresh.seed = deriveSeed(plan.seed, RandomPurpose::NewWeights, static_cast<uint32_t>(cut.layer), 1);
    moves.push_back(
        changeLayer(layer, static_cast<int64_t>(cut.layer), std::move(cut.dropped), std::move(grown), fresh));
  }
  // Only now: should a layer have been refused its memory, none of them is gone.
  marking.confirm();
  for (const auto& [layer, neuron] : marking.marked()) silenceNeuron(network, layer, neuron);
  return moves;
}

}  // namespace espalier
