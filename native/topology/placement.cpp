#include "topology/placement.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/random.h"
#include "topology/random_pattern.h"

namespace espalier {
namespace {

int64_t goldenStart(int64_t neuron, int64_t inputs) {
  const double along = static_cast<double>(neuron) * 1.6180339887 * static_cast<double>(inputs);
  return static_cast<int64_t>(std::floor(along)) % inputs;
}

}  // namespace

Pattern placeInputs(const Grid& grid, std::span<const int64_t> counts, InputPlacement placement,
                    uint64_t seed) {
  checkGrid(grid);
  const int64_t inputs = grid.blockColumns();
  require(static_cast<int64_t>(counts.size()) == grid.blockRows(), ErrorCode::Option,
          std::to_string(counts.size()) + " fan-ins given for " + std::to_string(grid.blockRows()) +
              " neurons (block rows)");
  Array<int64_t> rowOffsets(counts.size() + 1, 0);
  for (size_t row = 0; row < counts.size(); ++row) {
    require(counts[row] >= 0 && counts[row] <= inputs, ErrorCode::Option,
            "the fan-in of neuron (block row) " + std::to_string(row) + " is " + std::to_string(counts[row]) +
                "; allowed: 0 to " + std::to_string(inputs));
    rowOffsets[row + 1] = rowOffsets[row] + counts[row];
  }
  requireBlocks(grid, rowOffsets.back());
  Array<int32_t> columns(static_cast<size_t>(rowOffsets.back()));
  for (size_t row = 0; row < counts.size(); ++row) {
    int32_t* const first = columns.data() + rowOffsets[row];
    const auto neuron = static_cast<int64_t>(row);
    if (placement == InputPlacement::Golden) {
      const int64_t start = goldenStart(neuron, inputs);
      for (int64_t j = 0; j < counts[row]; ++j) {
        first[j] = static_cast<int32_t>((start + j * inputs / counts[row]) % inputs);
      }
    } else {
      const Feistel draw(static_cast<uint64_t>(inputs),
                         deriveSeed(seed, RandomPurpose::Pattern, 0, static_cast<uint64_t>(neuron)));
      for (int64_t j = 0; j < counts[row]; ++j)
        first[j] = static_cast<int32_t>(draw(static_cast<uint64_t>(j)));
    }
    std::sort(first, first + counts[row]);
  }
  return Pattern(grid, std::move(rowOffsets), std::move(columns));
}

}  // namespace espalier
