// SRigL over a whole network: which neurons may go, and what follows for the layers above.

#include <algorithm>
#include <string>
#include <utility>

#include "rewire/change_layer.h"
#include "rewire/living.h"
#include "rewire/neurons.h"
#include "rewire/planned.h"
#include "rewire/srigl.h"

namespace espalier {
namespace {

constexpr const char* kBudget = "srigl.budget";

/// Block columns whose neurons are removed.
Array<uint8_t> emptyColumns(const Living& living) {
  Array<uint8_t> empty(static_cast<size_t>(living.grid().blockColumns()));
  for (size_t column = 0; column < empty.size(); ++column) {
    empty[column] = living.hasColumn(static_cast<int64_t>(column)) ? 0 : 1;
  }
  return empty;
}

bool isHidden(const NetworkState& network, size_t layer) {
  return nextWeighted(network, layer) < network.layers.size();
}

/// Block rows of a hidden layer that must live for the layer above to have room for its budget.
int64_t neededAbove(const NetworkState& network, size_t layer) {
  const size_t above = nextWeighted(network, layer);
  const LayerState& next = network.layers[above];
  if (!next.isSparse()) return 1;
  const Living living(network, above);
  const int64_t rows = living.positions() / static_cast<int64_t>(living.columns().size());
  const int64_t inputs =
      divideUp(next.memory.find(kBudget, 1)->data()[0], rows) * next.pattern.block().columns;
  return divideUp(std::min(inputs, next.inputs), int64_t{network.layers[layer].pattern.block().rows});
}

void removeRows(NetworkState& network, size_t layer, std::span<const int32_t> blockRows) {
  const int64_t height = network.layers[layer].pattern.block().rows;
  const int64_t outputs = network.layers[layer].outputs;
  for (const int64_t row : blockRows) {
    for (int64_t neuron = row * height; neuron < std::min((row + 1) * height, outputs); ++neuron) {
      makeRemovedNeurons(network.layers[layer])[neuron] = 1;
      silenceNeuron(network, layer, neuron);
    }
  }
}

}  // namespace

void Srigl::check(const NetworkState& network, const RewireSchedule&, const RunLength&) const {
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Pattern& pattern = network.layers[i].pattern;
    if (pattern.entries() == 0) continue;
    require(hasConstantFanIn(pattern), ErrorCode::Option,
            "srigl: the neurons of layer " + std::to_string(i) +
                " differ in fan-in; allowed: a network with topology constantFanIn()");
    if (minimumSalient_ > 0 && isHidden(network, i)) checkSilence(network, i, "srigl");
  }
}

void Srigl::begin(NetworkState& network) const {
  for (LayerState& layer : network.layers) {
    if (!layer.isSparse() || layer.memory.find(kBudget, 1) != nullptr) continue;
    layer.memory.make(kBudget, 1)[0] = static_cast<int32_t>(layer.pattern.entries());
  }
}

std::vector<LayerMoves> Srigl::rewire(const HostRewiring& rewiring) const {
  NetworkState& network = rewiring.network;
  RewirePlan fresh;
  fresh.returnedKeepState = true;
  fresh.initialization = {InitializationKind::Zeros, 0};
  fresh.seed = rewiring.seed;
  std::vector<LayerMoves> moves;
  // Upwards, so that a layer knows which of its inputs have just gone.
  for (size_t i = 0; i < network.layers.size(); ++i) {
    LayerState& layer = network.layers[i];
    if (!layer.isSparse()) continue;
    const Array<uint8_t> empty = emptyColumns(Living(network, i));
    SriglPlan plan;
    plan.fraction = rewiring.fraction;
    plan.budget = layer.memory.make(kBudget, 1)[0];
    plan.emptyColumns = empty;
    if (isHidden(network, i)) {
      plan.minimumSalient = minimumSalient_;
      plan.group = neuronGroup(network, i) / layer.pattern.block().rows;
      plan.leastLiving = neededAbove(network, i);
    }
    SriglMove move = srigl(layer.pattern, layer.weight.values.span(), rewiring.gradient, i, plan);
    moves.push_back(changeLayer(layer, static_cast<int64_t>(i), std::move(move.dropped),
                                std::move(move.grown), plannedConnections(network, fresh, i)));
    removeRows(network, i, move.removed);
  }
  return moves;
}

}  // namespace espalier
