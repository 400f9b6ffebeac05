#include "device/cuda/rewire/rewire_layer.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "base/share.h"
#include "device/cuda/rewire/drop.h"
#include "device/cuda/rewire/grow_at_random.h"
#include "device/cuda/rewire/grow_by_gradient.h"
#include "device/cuda/rewire/move.h"

namespace espalier::cuda {
namespace {

/// The most entries that a rule drops: negatives and others, each rounded by itself, may make one more.
int64_t mostDropped(const RewirePlan& plan, int64_t entries) {
  const int64_t count = wholeShare(plan.fraction, entries);
  return plan.drop == DropRule::BySign ? std::min(count + 1, entries) : count;
}

void queueRewiring(Context& context, Blas& blas, DevicePattern& pattern, DeviceParameter& weight,
                   const RewirePlan& plan, int64_t layer, int64_t updates, const GradientSides& sides,
                   int64_t scratchBytes, RewireState& state) {
  const auto seedFor = [&](RandomPurpose purpose) {
    return deriveSeed(plan.seed, purpose, static_cast<uint32_t>(layer), 0);
  };
  const int64_t most = mostDropped(plan, pattern.entries());
  Drops drops = selectDrops(context, pattern, weight.values.data(), plan.drop, plan.fraction, state);
  Grown grown = plan.grow == GrowRule::Gradient
                    ? growByGradient(context, blas, pattern, drops, most, sides, scratchBytes, state)
                    : growAtRandom(context, pattern, drops, most, seedFor(RandomPurpose::Growth), state);
  const MoveRule rule{plan.returnedKeepState, plan.initialization, seedFor(RandomPurpose::NewWeights),
                      birthAfter(updates)};
  moveConnections(context, pattern, weight, std::move(drops), std::move(grown), rule, scratchBytes, state);
}

}  // namespace

LayerMoves rewireLayer(Context& context, Blas& blas, DevicePattern& pattern, DeviceParameter& weight,
                       const RewirePlan& plan, int64_t layer, int64_t updates, const GradientSides& sides,
                       int64_t scratchBytes) {
  if (wholeShare(plan.fraction, pattern.entries()) == 0) return {layer, 0, 0};
  RewireState state(context);
  try {
    queueRewiring(context, blas, pattern, weight, plan, layer, updates, sides, scratchBytes, state);
  } catch (const Error&) {
    // Nothing has moved, but the transpose view has served as scratch.
    pattern.rebuildViews(context);
    throw;
  }
  pattern.rebuildViews(context);
  Progress progress{};
  state.progress.download({&progress, 1});
  const int64_t size = pattern.grid().block.size();
  return {layer, progress.droppedCount() * size, static_cast<int64_t>(progress.returned) * size};
}

}  // namespace espalier::cuda
