#pragma once

#include "rewire/host_rule.h"

namespace espalier {

/// GraNet (Liu et al., NeurIPS 2021): gradual magnitude pruning with regeneration. At each rewiring between
/// `from` and the schedule's until the network is pruned, over all sparse layers together, to the sparsity
/// final + (initial - final) (1 - p)^3, p being the way from `from` to the last rewiring; then the schedule's
/// fraction of every layer's rest is dropped too, smallest first, and as many grow where the gradient is
/// largest.
class Granet final : public HostRule {
 public:
  /// finalSparsity: 0..1, of all sparse layers together; from: share of training.
  Granet(double finalSparsity, double from) : finalSparsity_(finalSparsity), from_(from) {}

  bool needsGradient() const override { return true; }
  void check(const NetworkState& network, const RewireSchedule& schedule,
             const RunLength& run) const override;
  void begin(NetworkState& network) const override;
  bool rewiresAt(const RewireSchedule& schedule, const RunLength& run, int64_t step) const override;
  std::vector<LayerMoves> rewire(const HostRewiring& rewiring) const override;

 private:
  int64_t connectionsAfter(const HostRewiring& rewiring) const;

  const double finalSparsity_;
  const double from_;
};

}  // namespace espalier
