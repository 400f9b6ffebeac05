#pragma once

#include <cstdint>

#include "sparse/pattern.h"

namespace espalier {

/// A pattern of exactly so many blocks, drawn uniformly and without replacement: a Feistel bijection of all
/// positions keyed by the seed, whose first ranks are taken. blocks: 0 to grid.positions(). Throws
/// Error(Option) otherwise.
Pattern randomPattern(const Grid& grid, int64_t blocks, uint64_t seed);

}  // namespace espalier
