#include "device/cpu/panel_plan.h"

#include <algorithm>

#include "device/cpu/panels.h"

namespace espalier::cpu {
namespace {

bool isLarge(const NetworkState& network) {
  return std::ranges::any_of(network.layers, [](const LayerState& layer) {
    return widestPanel(layer.pattern.values()) == kLargestPanel;
  });
}

/// Blocks, which do most with a weight that they have fetched, lose more by fetching it for narrower panels.
bool hasFewWeights(const NetworkState& network, int64_t batchSize) {
  int64_t weights = 0, features = network.description.inputs;
  for (const LayerState& layer : network.layers) {
    weights += layer.weight.values.size() * (layer.pattern.block().size() > 1 ? 2 : 1);
    features += layer.outputs;
  }
  return cpu::hasFewWeights(weights, features, batchSize);
}

}  // namespace

PanelPlan::PanelPlan(const NetworkState& network, const DeviceSettings& settings)
    : unit(settings.precision == Precision::Bfloat16 ? kPairedPanelUnit : kPanelUnit) {
  const bool large = isLarge(network), training = settings.batchSize > 0;
  const int64_t widest = large ? kLargestPanel : kUsualPanel;
  const bool fewWeights = hasFewWeights(network, settings.batchSize);
  // As few and as equal as possible, but two of a small batch, for two threads.
  panels = divideUp(settings.batchSize, widest);
  if (!large && fewWeights && settings.batchSize > kSmallestPanel) panels = roundUp(panels, 2);
  stride = training ? roundUp(divideUp(settings.batchSize, panels), unit) : widest;
  sideBySide =
      settings.threads > 1 && !large && (!training || (fewWeights && panels % settings.threads == 0));
  atOnce = sideBySide ? settings.threads : 1;
  gathersTwice = settings.threads == 2 && !large && !sideBySide && !settings.growsByGradient;
}

int64_t PanelPlan::inferenceStride(int64_t count) const {
  return std::min(stride, roundUp(std::max<int64_t>(1, divideUp(count, atOnce)), unit));
}

}  // namespace espalier::cpu
