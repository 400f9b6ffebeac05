#pragma once

#include <cstdint>
#include <span>

#include "rewire/gradient.h"
#include "rewire/living.h"

namespace espalier {

// Growth on the host, where rows and columns of removed neurons are left out. kept: ascending block positions
// of the layer, all of living neurons. Each gives `count` ascending block positions that are not kept and
// live; Error(Option) where there is no room.

/// SET's: uniformly at random; without removed neurons what every device draws.
Array<int64_t> growAtRandom(const Living& living, std::span<const int64_t> kept, int64_t count,
                            uint64_t seed);

/// RigL's: where the gradient is largest, see gradientSize(); of equals the smaller position wins, as on
/// every device. Error(Diverged) where too few gradients are numbers.
Array<int64_t> growByGradient(const Living& living, std::span<const int64_t> kept, int64_t count,
                              const ReadGradient& gradient, size_t layer);

/// Where the gradient is smallest; equals are put in an order drawn by the seed.
Array<int64_t> growAgainstGradient(const Living& living, std::span<const int64_t> kept, int64_t count,
                                   const ReadGradient& gradient, size_t layer, uint64_t seed);

}  // namespace espalier
