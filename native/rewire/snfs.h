#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rewire/host_rule.h"

namespace espalier {

/// Takes the gradient of a layer into its average: average = smoothing x average + (1 - smoothing) x
/// gradient. average: rows x columns of the grid, row-major.
void smoothGradient(const ReadGradient& gradient, size_t layer, const Grid& grid, double smoothing,
                    std::span<float> average);

/// Mean |average| over the weights that exist.
double meanMomentum(const Pattern& pattern, std::span<const float> average);

/// How many of `total` blocks each layer gets: in proportion to its momentum, rounded by largest remainder
/// (of equals the earlier layer), none beyond its room, whose rest the others share in the same way; once all
/// with momentum are full, or where it is not a number, by the room that there is. total: at most the sum of
/// room.
std::vector<int64_t> redistribute(int64_t total, std::span<const double> momentum,
                                  std::span<const int64_t> room);

/// Sparse networks from scratch, "sparse momentum" (Dettmers and Zettlemoyer, 2019): drops what is smallest
/// in magnitude and grows where the exponential average of the dense gradient is largest; what all layers
/// dropped is shared out among them in proportion to the mean |average| of their weights. The average is
/// remembered as `snfs.average`, 4 bytes a position.
class Snfs final : public HostRule {
 public:
  /// smoothing: 0..1, of the average from sample to sample; sampleEvery: steps between two samples, which are
  /// also taken at every rewiring; redistributes: else each layer grows what it dropped.
  Snfs(double smoothing, int64_t sampleEvery, bool redistributes)
      : smoothing_(smoothing), sampleEvery_(sampleEvery), redistributes_(redistributes) {}

  bool needsGradient() const override { return true; }
  /// Layers that share what was dropped must have blocks of one shape, or they could not keep its number.
  void check(const NetworkState& network, const RewireSchedule& schedule,
             const RunLength& run) const override;
  void begin(NetworkState& network) const override;
  bool observesAt(const RewireSchedule& schedule, const RunLength& run, int64_t step) const override;
  void observe(const HostRewiring& rewiring) const override;
  std::vector<LayerMoves> rewire(const HostRewiring& rewiring) const override;

 private:
  const double smoothing_;
  const int64_t sampleEvery_;
  const bool redistributes_;
};

}  // namespace espalier
