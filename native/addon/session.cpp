#include "addon/session.h"

#include <utility>

#include "rewire/exploration.h"
#include "rewire/living.h"

namespace espalier::addon {
namespace {

Facts factsOf(const NetworkState& state) {
  Facts facts;
  for (const LayerState& layer : state.layers) {
    int64_t parameters = layer.connections();
    LayerState::visitParameters(layer, [&](const char*, const Parameter& parameter) {
      if (&parameter != &layer.weight) parameters += parameter.values.size();
    });
    facts.layers.push_back({layer.inputs, layer.outputs, layer.connections(), parameters, countRemoved(layer),
                            explorationOf(layer)});
  }
  facts.bytes = bytesOf(state);
  return facts;
}

NetworkDescription withoutPatterns(NetworkDescription description) {
  dropPatterns(description.topology);
  return description;
}

}  // namespace

Session::Session(const NetworkDescription& described, const Placement& placement, bool blank)
    : description(withoutPatterns(described)), network(described, placement, blank) {
  refresh();
}

void Session::refresh(const NetworkState& state) {
  Facts fresh = factsOf(state);
  const std::lock_guard lock(mutex_);
  facts_ = std::move(fresh);
}

void Session::refresh() {
  network.inspect([this](const NetworkState& state) { refresh(state); });
}

Facts Session::facts() {
  const std::lock_guard lock(mutex_);
  return facts_;
}

}  // namespace espalier::addon
