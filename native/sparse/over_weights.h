#pragma once

#include <algorithm>
#include <cstdint>

#include "sparse/pattern.h"

namespace espalier {

/// Calls use(index, row, column) for every weight of an entry in this block row, padding left out: where its
/// value lies in arrays that follow the pattern, and its place in the matrix.
template <typename Use>
void overWeights(const Pattern& pattern, int64_t blockRow, int64_t entry, const Use& use) {
  const Grid& grid = pattern.grid();
  const int64_t height = grid.block.rows, width = grid.block.columns;
  const int64_t row = blockRow * height, column = int64_t{pattern.columns()[entry]} * width;
  const int64_t rows = std::min(height, grid.rows - row), columns = std::min(width, grid.columns - column);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) use((entry * height + r) * width + c, row + r, column + c);
  }
}

/// The same for every entry of the block rows from `begin` to before `end`.
template <typename Use>
void overWeightsOfRows(const Pattern& pattern, int64_t begin, int64_t end, const Use& use) {
  for (int64_t blockRow = begin; blockRow < end; ++blockRow) {
    for (int64_t entry = pattern.rowOffsets()[blockRow]; entry < pattern.rowOffsets()[blockRow + 1]; ++entry)
      overWeights(pattern, blockRow, entry, use);
  }
}

/// The same for the whole pattern.
template <typename Use>
void overAllWeights(const Pattern& pattern, const Use& use) {
  overWeightsOfRows(pattern, 0, pattern.grid().blockRows(), use);
}

}  // namespace espalier
