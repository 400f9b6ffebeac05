#pragma once

#include <cstdint>
#include <span>

#include "rewire/gradient.h"

namespace espalier {

/// Walks a layer's gradient as overGradient() does and calls use(blockRow, sizes) for every block row in
/// order, with gradientSize() of each of its blocks, which the caller may write over.
template <typename Use>
void overGradientSizes(const ReadGradient& read, size_t layer, const Grid& grid, const Use& use) {
  Array<float> sizes(static_cast<size_t>(grid.blockColumns()));
  overGradient(read, layer, grid, [&](const GradientPanel& panel) {
    const int64_t first = panel.firstRow / grid.block.rows;
    for (int64_t row = first; row < first + divideUp(panel.rows, grid.block.rows); ++row) {
      for (int64_t column = 0; column < grid.blockColumns(); ++column) {
        sizes[column] = gradientSize(panel, grid, row, column);
      }
      use(row, std::span<float>(sizes));
    }
  });
}

}  // namespace espalier
