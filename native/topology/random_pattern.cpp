#include "topology/random_pattern.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/random.h"

namespace espalier {

void requireBlocks(const Grid& grid, int64_t blocks) {
  const int64_t most = std::min<int64_t>(grid.positions(), std::numeric_limits<int32_t>::max());
  require(blocks >= 0 && blocks <= most, ErrorCode::Option,
          std::to_string(blocks) + " blocks asked of a pattern that holds 0 to " + std::to_string(most));
}

Pattern randomPattern(const Grid& grid, int64_t blocks, uint64_t seed) {
  checkGrid(grid);
  requireBlocks(grid, blocks);
  const Feistel shuffle(static_cast<uint64_t>(grid.positions()), seed);
  Array<int64_t> drawn(static_cast<size_t>(blocks));
  for (int64_t rank = 0; rank < blocks; ++rank) {
    drawn[rank] = static_cast<int64_t>(shuffle(static_cast<uint64_t>(rank)));
  }
  return patternOfDrawn(grid, drawn);
}

Pattern patternOfDrawn(const Grid& grid, std::span<const int64_t> drawn) {
  // One bucket per row and a short sort in each: much less work than one sort of all positions.
  const int64_t width = grid.blockColumns();
  Array<int64_t> rowOffsets(static_cast<size_t>(grid.blockRows()) + 1, 0);
  for (const int64_t position : drawn) ++rowOffsets[position / width + 1];
  for (size_t row = 1; row < rowOffsets.size(); ++row) rowOffsets[row] += rowOffsets[row - 1];

  Array<int32_t> columns(drawn.size());
  Array<int64_t> next(rowOffsets.begin(), rowOffsets.end() - 1);
  for (const int64_t position : drawn)
    columns[next[position / width]++] = static_cast<int32_t>(position % width);
  for (int64_t row = 0; row < grid.blockRows(); ++row) {
    std::sort(columns.begin() + rowOffsets[row], columns.begin() + rowOffsets[row + 1]);
  }
  return Pattern(grid, std::move(rowOffsets), std::move(columns));
}

}  // namespace espalier
