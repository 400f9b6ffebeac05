#include "train/rewirings.h"

#include <algorithm>

#include "base/random.h"
#include "rewire/exploration.h"
#include "rewire/living.h"
#include "rewire/planned.h"

namespace espalier {
namespace {

/// Both of them list every sparse layer.
void add(std::vector<LayerMoves>& sum, const std::vector<LayerMoves>& more) {
  if (sum.empty()) {
    sum = more;
    return;
  }
  require(sum.size() == more.size(), ErrorCode::Internal, "a rewiring of other layers");
  for (size_t i = 0; i < sum.size(); ++i) {
    sum[i].moved += more[i].moved;
    sum[i].returned += more[i].returned;
  }
}

}  // namespace

ReadGradient readerOf(Device& device) {
  return [&device](size_t layer, int64_t firstRow, int64_t rows, std::span<float> gradient) {
    device.readGradient(layer, firstRow, rows, gradient);
  };
}

Rewirings::Rewirings(const RewireSettings& settings, const RunLength& length, double firstLearningRate,
                     int threads, const NetworkState& network)
    : settings_(settings), length_(length), firstLearningRate_(firstLearningRate), threads_(threads) {
  require((settings.rule == RewireRule::Host) == (settings.host != nullptr), ErrorCode::Internal,
          "a rule of the host that is not there");
  if (settings.host != nullptr) settings.host->check(network, settings.schedule, length);
  if (settings.neurons) checkNeuronPruning(network, *settings.neurons, length);
}

void Rewirings::start(NetworkState& network, const FirstBatch& firstBatch) const {
  if (settings_.host != nullptr) settings_.host->start(network, firstBatch);
}

void Rewirings::begin(NetworkState& network) {
  onlyLiving_ =
      settings_.neurons.has_value() ||
      std::ranges::any_of(network.layers, [](const LayerState& layer) { return countRemoved(layer) > 0; });
  if (settings_.host != nullptr) settings_.host->begin(network);
  if (settings_.trackExploration) markExplored(network);
}

bool Rewirings::needsGradient() const {
  return settings_.rule == RewireRule::Rigl || (settings_.host != nullptr && settings_.host->needsGradient());
}

DueRewiring Rewirings::dueAfter(int64_t step) const {
  DueRewiring due;
  if (settings_.host != nullptr) {
    due.moves = settings_.host->rewiresAt(settings_.schedule, length_, step);
    due.observes = settings_.host->observesAt(settings_.schedule, length_, step);
  } else if (settings_.rule != RewireRule::Static) {
    due.moves = rewiresAt(settings_.schedule, length_, step);
  }
  due.prunesNeurons = settings_.neurons && prunesNeuronsAt(*settings_.neurons, length_, step);
  return due;
}

bool Rewirings::movesWeights(int64_t step) const {
  return !(settings_.skipUpdate && needsGradient() && dueAfter(step).moves);
}

bool Rewirings::onHost(const DueRewiring& due) const {
  return due.any() && (settings_.host != nullptr || onlyLiving_);
}

double Rewirings::fractionAt(int64_t step, double learningRate) const {
  return rewireFraction(settings_.schedule, length_, step, learningRate, firstLearningRate_);
}

RewirePlan Rewirings::planFor(const NetworkState& network, double fraction) const {
  RewirePlan plan;
  plan.drop = settings_.drop;
  plan.grow = settings_.rule == RewireRule::Rigl ? GrowRule::Gradient : GrowRule::Random;
  plan.returnedKeepState = settings_.rule == RewireRule::Rigl;
  plan.initialization = settings_.initialization;
  plan.fraction = fraction;
  plan.seed = deriveSeed(network.description.seed, RandomPurpose::Growth, 0,
                         static_cast<uint64_t>(network.progress.rewirings));
  return plan;
}

void Rewirings::observe(NetworkState& network, Device& device, int64_t step, double learningRate) const {
  const double fraction = fractionAt(step, learningRate);
  const ReadGradient gradient = readerOf(device);
  settings_.host->observe({network, gradient, settings_.schedule, length_, step, fraction,
                           planFor(network, fraction).seed, threads_});
}

RewireEvent Rewirings::rewire(NetworkState& network, Device& device, const DueRewiring& due, int64_t step,
                              double learningRate) const {
  const double fraction = due.moves ? fractionAt(step, learningRate) : 0;
  const RewirePlan plan = planFor(network, fraction);
  const ReadGradient gradient = readerOf(device);
  std::vector<LayerMoves> moves;
  if (due.prunesNeurons) moves = pruneNeurons(network, *settings_.neurons, length_, step, plan, gradient);
  if (due.moves) {
    if (settings_.host != nullptr) {
      add(moves, settings_.host->rewire(
                     {network, gradient, settings_.schedule, length_, step, fraction, plan.seed, threads_}));
    } else {
      add(moves, onHost(due) ? rewireOnHost(network, plan, gradient) : device.rewire(plan));
    }
  }
  RewireEvent event;
  event.epoch = network.progress.epoch + 1;
  event.step = step;
  event.fraction = fraction;
  for (const LayerMoves& layer : moves) event.layers.push_back({layer, 0, 0, std::nullopt});
  return event;
}

void Rewirings::account(NetworkState& network, RewireEvent& event) const {
  if (settings_.trackExploration) markExplored(network);
  for (RewiredLayer& layer : event.layers) {
    const LayerState& state = network.layers[layer.moves.layer];
    layer.connections = state.pattern.values();
    layer.removedNeurons = countRemoved(state);
    layer.exploration = explorationOf(state);
  }
}

}  // namespace espalier
