#pragma once

#include <cstdint>
#include <span>

#include "sparse/pattern.h"

namespace espalier {

/// A pattern of exactly so many blocks, drawn uniformly and without replacement: a Feistel bijection of all
/// positions keyed by the seed, whose first ranks are taken. blocks: 0 to grid.positions(). Throws
/// Error(Option) otherwise.
Pattern randomPattern(const Grid& grid, int64_t blocks, uint64_t seed);

/// A pattern of distinct block positions (block row x block columns + block column) in any order.
Pattern patternOfDrawn(const Grid& grid, std::span<const int64_t> drawn);

/// Throws Error(Option) where a pattern cannot hold so many blocks.
void requireBlocks(const Grid& grid, int64_t blocks);

}  // namespace espalier
