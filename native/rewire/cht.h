#pragma once

#include <optional>
#include <vector>

#include "base/thread_pool.h"
#include "rewire/host_rule.h"

namespace espalier {

/// Cannistraci-Hebb training: drops what is smallest in magnitude and grows by link prediction on the layer's
/// topology alone; see link_prediction.h. Where so large a share of what a layer dropped grows again in the
/// same place, the layer has settled and moves no more, which is remembered as `cht.settled`.
class Cht final : public HostRule {
 public:
  /// temperature: none for CHT, which takes the largest scores; above 0 for CHTs, which draws. stopAt: 0..1,
  /// or none where layers never settle.
  Cht(std::optional<double> temperature, std::optional<double> stopAt, const Initialization& initialization)
      : temperature_(temperature), stopAt_(stopAt), initialization_(initialization) {}

  void begin(NetworkState& network) const override;
  std::vector<LayerMoves> rewire(const HostRewiring& rewiring) const override;

 private:
  LayerMoves rewireLayer(const HostRewiring& rewiring, size_t index, ThreadPool& pool) const;

  const std::optional<double> temperature_;
  const std::optional<double> stopAt_;
  const Initialization initialization_;
};

}  // namespace espalier
