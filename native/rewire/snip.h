#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rewire/host_rule.h"

namespace espalier {

/// A layer of the dense network: its index there, its weights (rows x columns, row-major), and the number of
/// blocks that it is to keep.
struct SnipLayer {
  size_t layer = 0;
  Grid grid;
  std::span<const float> weights;
  int64_t blocks = 0;
};

/// How blocks are shared out among the layers.
enum class SnipBudget {
  /// Each layer keeps as many as it asks for.
  Layer,
  /// All together keep as many as they ask for, wherever those lie.
  Network
};

/// The block positions to keep in each layer, ascending: those with the largest |g x w|, for blocks the
/// largest sum of squares; of equals the earlier layer and the smaller position. Throws Error(Option), for
/// the budget of the whole network, where blocks differ in shape from layer to layer, which cannot be
/// compared, and where a layer would be left without a connection.
std::vector<Array<int64_t>> mostSensitive(const ReadGradient& gradient, std::span<const SnipLayer> layers,
                                          SnipBudget budget);

/// SNIP (Lee, Ajanthan and Torr, ICLR 2019): before the first step, keep the connections of a dense network
/// to whose removal the loss is most sensitive, on the first batch; nothing moves afterwards. The dense
/// network is that of the same description and seed, and is there for that moment only: 8 bytes a position
/// and a batch's activations. Each layer keeps as many blocks as the topology had laid.
class Snip final : public HostRule {
 public:
  /// redraws: weights are drawn anew for the fan-in that is left, from the same random numbers; else they
  /// stay as they are in the dense network.
  Snip(SnipBudget budget, bool redraws) : budget_(budget), redraws_(redraws) {}

  bool rewiresAt(const RewireSchedule&, const RunLength&, int64_t) const override { return false; }
  void start(NetworkState& network, const FirstBatch& firstBatch) const override;
  std::vector<LayerMoves> rewire(const HostRewiring&) const override { return {}; }

 private:
  const SnipBudget budget_;
  const bool redraws_;
};

}  // namespace espalier
