#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rewire/host_rule.h"

namespace espalier {

/// One rewiring of one layer by SRigL (Lasby et al., "Dynamic sparse training with structured sparsity", ICLR
/// 2024). A neuron is a block row, and its fan-in the number of its blocks.
struct SriglPlan {
  /// Share of the connections that move.
  double fraction = 0;
  /// Share of the fan-in that must be salient for a neuron to live; 0 where none may be removed.
  double minimumSalient = 0;
  /// Blocks that the layer may have, at least as many as it has.
  int64_t budget = 0;
  /// Block rows that can only be removed together.
  int64_t group = 1;
  /// Block rows that must live in any case.
  int64_t leastLiving = 1;
  /// Block columns that must become empty, since the neurons that they come from are removed: one flag for
  /// each, or empty.
  std::span<const uint8_t> emptyColumns;
};

/// What it does to the layer.
struct SriglMove {
  /// Ascending entries.
  Array<int32_t> dropped;
  /// Ascending block positions, none of them kept ones.
  Array<int64_t> grown;
  /// Block rows that are removed with this rewiring, ascending.
  Array<int32_t> removed;
};

/// Whether all block rows have the same number of entries, to within one; those without any are removed
/// neurons and do not count.
bool hasConstantFanIn(const Pattern& pattern);

/// A weight is salient that is among those which stay when the smallest of the layer are dropped, and so is a
/// position without a weight whose gradient is among as many largest. Neurons with fewer than
/// max(1, floor(minimumSalient x fan-in)) of them are removed, as far as so many live as must and
/// as have room for the budget: the more salient, of equals the earlier. Then the smallest weights of the
/// living are dropped, so many that with those of the removed they are the asked share, and every living
/// neuron grows where its own gradient is largest until all have the same fan-in and together the budget;
/// where it does not divide, those that kept most have one more. Of equals the smaller position wins
/// everywhere. The pattern must have a constant fan-in: Error(Option). Reads the gradient twice, or once
/// where no neuron may be removed.
SriglMove srigl(const Pattern& pattern, std::span<const float> values, const ReadGradient& gradient,
                size_t layer, const SriglPlan& plan);

/// SRigL: RigL whose neurons all have the same fan-in. Each sparse layer begins with one, which is its
/// budget, remembered as `srigl.budget`. Neurons of hidden layers that are left with too few salient weights
/// are removed for ever, and their budget goes to the others.
class Srigl final : public HostRule {
 public:
  /// minimumSalient: 0..1, of the fan-in; 0 where no neuron is to be removed.
  explicit Srigl(double minimumSalient) : minimumSalient_(minimumSalient) {}

  bool needsGradient() const override { return true; }
  void check(const NetworkState& network, const RewireSchedule& schedule,
             const RunLength& run) const override;
  void begin(NetworkState& network) const override;
  std::vector<LayerMoves> rewire(const HostRewiring& rewiring) const override;

 private:
  const double minimumSalient_;
};

}  // namespace espalier
