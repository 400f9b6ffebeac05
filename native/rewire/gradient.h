#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/memory.h"
#include "sparse/pattern.h"

namespace espalier {

/// Rows firstRow to firstRow + rows - 1 of the dense gradient of a layer's weights: rows x inputs, row-major.
/// See Device::readGradient, which a rule knows by this function only.
using ReadGradient =
    std::function<void(size_t layer, int64_t firstRow, int64_t rows, std::span<float> gradient)>;

/// Gradients that are at hand at a time, where one row of blocks has no more.
inline constexpr int64_t kGradientPanelValues = int64_t{1} << 20;

/// Some rows of a gradient: whole rows of blocks, but for the layer's last one.
struct GradientPanel {
  int64_t firstRow = 0;
  int64_t rows = 0;
  int64_t inputs = 0;
  std::span<const float> values;

  /// row: of the layer.
  float at(int64_t row, int64_t input) const { return values[(row - firstRow) * inputs + input]; }
};

/// Walks the dense gradient of a layer from the first row to the last, in panels of bounded memory: calls
/// use(panel). grid: the layer's; of a dense layer {outputs, inputs, {}}.
template <typename Use>
void overGradient(const ReadGradient& read, size_t layer, const Grid& grid, const Use& use) {
  const int64_t fitting = kGradientPanelValues / grid.columns / grid.block.rows;
  const int64_t height = std::max<int64_t>(fitting, 1) * grid.block.rows;
  Array<float> values(static_cast<size_t>(std::min(height, grid.rows) * grid.columns));
  for (int64_t first = 0; first < grid.rows; first += height) {
    const int64_t rows = std::min(height, grid.rows - first);
    const std::span<float> panel(values.data(), static_cast<size_t>(rows * grid.columns));
    read(layer, first, rows, panel);
    use(GradientPanel{first, rows, grid.columns, panel});
  }
}

/// What a block position counts for by its gradient: of one weight the magnitude, of more the sum of squares,
/// in double and rounded once.
inline float gradientSize(const GradientPanel& panel, const Grid& grid, int64_t blockRow,
                          int64_t blockColumn) {
  const int64_t row = blockRow * grid.block.rows, column = blockColumn * grid.block.columns;
  if (grid.block.size() == 1) return std::abs(panel.at(row, column));
  const int64_t endRow = std::min(row + grid.block.rows, grid.rows);
  const int64_t endColumn = std::min(column + grid.block.columns, grid.columns);
  double sum = 0;
  for (int64_t i = row; i < endRow; ++i) {
    for (int64_t j = column; j < endColumn; ++j) sum += double{panel.at(i, j)} * double{panel.at(i, j)};
  }
  return static_cast<float>(sum);
}

}  // namespace espalier
