// How CpuDevice moves connections: on the host's state, layers side by side.

#include <algorithm>
#include <exception>
#include <utility>

#include "base/random.h"
#include "base/share.h"
#include "device/cpu/cpu_device.h"
#include "rewire/grow.h"
#include "rewire/move.h"
#include "rewire/prune.h"

namespace espalier::cpu {
namespace {

Array<int64_t> keptPositions(const Pattern& pattern, std::span<const int32_t> dropped) {
  Array<int64_t> positions = pattern.positions();
  size_t next = 0, kept = 0;
  for (size_t entry = 0; entry < positions.size(); ++entry) {
    if (next < dropped.size() && dropped[next] == static_cast<int32_t>(entry)) {
      ++next;
    } else {
      positions[kept++] = positions[entry];
    }
  }
  positions.resize(kept);
  return positions;
}

}  // namespace

/// One sparse layer on its way through a rewiring.
struct CpuDevice::LayerRewiring {
  size_t layer = 0;
  Array<int32_t> dropped;
  Array<int64_t> grown;
  int64_t moved = 0;
  int64_t returned = 0;
};

std::vector<LayerMoves> CpuDevice::rewire(const RewirePlan& plan) {
  std::vector<LayerRewiring> rewirings;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (network_.description.layers[i].kind == LayerKind::Sparse) rewirings.push_back({i, {}, {}, 0, 0});
  }
  overLayers(rewirings, [&](LayerRewiring& rewiring) { drop(plan, rewiring); });
  // The gradient of a layer keeps the whole team busy; everything else is one thread's work a layer.
  if (plan.grow == GrowRule::Gradient) {
    for (LayerRewiring& rewiring : rewirings) growByGradient(rewiring);
  } else {
    overLayers(rewirings, [&](LayerRewiring& rewiring) { growAtRandom(plan, rewiring); });
  }
  overLayers(rewirings, [&](LayerRewiring& rewiring) { move(plan, rewiring); });

  std::vector<LayerMoves> moves;
  for (const LayerRewiring& rewiring : rewirings) {
    const int64_t size = network_.layers[rewiring.layer].pattern.block().size();
    moves.push_back({static_cast<int64_t>(rewiring.layer), rewiring.moved * size, rewiring.returned * size});
  }
  return moves;
}

template <typename Work>
void CpuDevice::overLayers(std::vector<LayerRewiring>& rewirings, const Work& work) {
  std::vector<std::exception_ptr> failures(static_cast<size_t>(pool_.threads()));
  pool_.run([&](int thread) {
    try {
      for (size_t i = static_cast<size_t>(thread); i < rewirings.size(); i += failures.size())
        work(rewirings[i]);
    } catch (...) {
      failures[static_cast<size_t>(thread)] = std::current_exception();
    }
  });
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void CpuDevice::drop(const RewirePlan& plan, LayerRewiring& rewiring) const {
  const LayerState& state = network_.layers[rewiring.layer];
  const auto values = state.weight.values.span();
  const int64_t count = wholeShare(plan.fraction, state.pattern.entries());
  rewiring.dropped = plan.drop == DropRule::BySign ? smallestBySign(state.pattern, values, plan.fraction)
                                                   : smallestEntries(state.pattern, values, count);
}

void CpuDevice::growAtRandom(const RewirePlan& plan, LayerRewiring& rewiring) const {
  const Pattern& pattern = network_.layers[rewiring.layer].pattern;
  const uint64_t seed =
      deriveSeed(plan.seed, RandomPurpose::Growth, static_cast<uint32_t>(rewiring.layer), 0);
  rewiring.grown = espalier::growAtRandom(pattern.grid(), keptPositions(pattern, rewiring.dropped),
                                          static_cast<int64_t>(rewiring.dropped.size()), seed);
}

void CpuDevice::growByGradient(LayerRewiring& rewiring) {
  const Pattern& pattern = network_.layers[rewiring.layer].pattern;
  rewiring.grown =
      cpu::growByGradient(kernels_, pool_, pattern.grid(), keptPositions(pattern, rewiring.dropped),
                          static_cast<int64_t>(rewiring.dropped.size()), gradientSides(rewiring.layer));
}

void CpuDevice::move(const RewirePlan& plan, LayerRewiring& rewiring) {
  LayerState& state = network_.layers[rewiring.layer];
  Parameter& weight = state.weight;
  Move move = moveEntries(state.pattern, rewiring.dropped, rewiring.grown, plan.returnedKeepState);
  const int32_t blockSize = state.pattern.block().size();
  rewiring.moved = static_cast<int64_t>(rewiring.grown.size());
  rewiring.returned = move.returned;
  // What follows needs memory of its own; the lists have done their work.
  rewiring.dropped = Array<int32_t>();
  rewiring.grown = Array<int64_t>();
  Array<int32_t> fresh;
  for (size_t entry = 0; entry < move.source.size(); ++entry) {
    if (move.source[entry] < 0) fresh.push_back(static_cast<int32_t>(entry));
  }
  AlignedBuffer<float> spare(weight.values.size());
  AlignedBuffer<int32_t> spareBirths(weight.births.size());

  state.pattern.replace(std::move(move.rowOffsets), std::move(move.columns));
  for (AlignedBuffer<float>* values : {&weight.values, &weight.first, &weight.second}) {
    if (!values->empty()) moveValues(move, blockSize, *values, spare);
  }
  const uint64_t seed =
      deriveSeed(plan.seed, RandomPurpose::NewWeights, static_cast<uint32_t>(rewiring.layer), 0);
  initializeNewWeights(state.pattern, fresh, plan.initialization, seed, weight.values.span());
  if (!weight.births.empty()) {
    moveValues(move, blockSize, weight.births, spareBirths);
    const auto now = static_cast<int32_t>(network_.progress.updates);
    for (const int32_t entry : fresh) {
      std::fill_n(weight.births.data() + int64_t{entry} * blockSize, blockSize, now);
    }
  }
  layers_[rewiring.layer]->patternChanged();
}

}  // namespace espalier::cpu
