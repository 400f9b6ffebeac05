#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rewire/host_rule.h"

namespace espalier {

/// What a connection matters in MEST: |w| + lambda |g| of every entry, g being its gradient; for blocks the
/// norms of both. values: pattern.values(). Of the gradient only what exists is looked at.
Array<float> mestImportance(const Pattern& pattern, std::span<const float> values,
                            const ReadGradient& gradient, size_t layer, double lambda);

/// MEST (Yuan et al., NeurIPS 2021): elastic mutation drops the schedule's fraction of each layer's
/// connections, those of least importance, and grows as many uniformly at random; the fraction falls while
/// training. With its soft memory bound a layer holds the new connections beside the old ones until the next
/// rewiring, which drops the least important down to what the layer had at first and grows again; the last
/// rewiring grows none. That number is remembered as `mest.entries`.
class Mest final : public HostRule {
 public:
  Mest(double lambda, bool softBound) : lambda_(lambda), softBound_(softBound) {}

  bool needsGradient() const override { return true; }
  void begin(NetworkState& network) const override;
  std::vector<LayerMoves> rewire(const HostRewiring& rewiring) const override;

 private:
  const double lambda_;
  const bool softBound_;
};

}  // namespace espalier
