#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/state.h"
#include "rewire/gradient.h"
#include "rewire/plan.h"
#include "rewire/schedule.h"

namespace espalier {

/// What a hidden neuron is worth: the sum of |weights| into it, or out of it, or the product of the two.
enum class NeuronCriterion { Incoming, Outgoing, Product };

/// When hidden neurons are removed while training, which, and what becomes of their connections.
struct NeuronPruning {
  NeuronCriterion criterion = NeuronCriterion::Incoming;
  /// Of training, 0..1; neurons go after epochs that lie between, but never after the last.
  double from = 0;
  double until = 1;
  /// Epochs from one removal to the next.
  int64_t every = 1;
  /// NPSET: the share of a layer's neurons that is gone after the last removal, evenly spread over them.
  /// Importance pruning: the share of the living that each removal takes.
  double share = 0.5;
  bool shareOfLiving = false;
  /// Whether as many connections as went are laid between living neurons of the layer, as far as there is
  /// room.
  bool keepsBudget = true;
};

/// Throws Error(Option) where the network has no neuron that may be removed, where no epoch lies in the time
/// given, or where a removed neuron would not stay without effect.
void checkNeuronPruning(const NetworkState& network, const NeuronPruning& pruning, const RunLength& run);

/// Whether neurons are removed after this step, which must end an epoch.
bool prunesNeuronsAt(const NeuronPruning& pruning, const RunLength& run, int64_t step);

/// Removes the neurons that are due after this step: of each hidden sparse layer the living ones worth least,
/// of equals those with the larger index. A removed neuron has no input and no output, its bias, gain and
/// shift are 0, and Living leaves it out for ever. In a dense layer above, its weights become 0 and stay so,
/// as its output is 0 and their gradient with it. Where layers have blocks, neurons go in groups that are
/// whole blocks of both layers. Freed connections are laid as `plan` grows and begins them.
///
/// Throws Error(Option) where a layer would be left without a connection; nothing has changed then.
std::vector<LayerMoves> pruneNeurons(NetworkState& network, const NeuronPruning& pruning,
                                     const RunLength& run, int64_t step, const RewirePlan& plan,
                                     const ReadGradient& gradient);

/// Neurons of a hidden sparse layer that can only go together: whole blocks of their own layer and of the one
/// above.
int64_t neuronGroup(const NetworkState& network, size_t layer);

/// Throws Error(Option) in the name of a rule where a removed neuron of the layer would not stay without
/// effect.
void checkSilence(const NetworkState& network, size_t layer, const std::string& rule);

/// Takes away whatever a removed neuron could still say beside the connections of sparse layers.
void silenceNeuron(NetworkState& network, size_t layer, int64_t neuron);

/// The worth of each neuron of a hidden layer.
std::vector<double> neuronStrengths(const NetworkState& network, size_t layer, NeuronCriterion criterion);

}  // namespace espalier
