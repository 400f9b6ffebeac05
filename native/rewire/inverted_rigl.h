#pragma once

#include "rewire/host_rule.h"

namespace espalier {

/// RigL the wrong way round, as a control for it: drops what is smallest in magnitude and grows where the
/// gradient is smallest.
class InvertedRigl final : public HostRule {
 public:
  bool needsGradient() const override { return true; }
  std::vector<LayerMoves> rewire(const HostRewiring& rewiring) const override;
};

}  // namespace espalier
