#include "sparse/pattern.h"

#include <algorithm>
#include <limits>
#include <string>

namespace espalier {

void checkGrid(const Grid& grid) {
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  require(grid.rows > 0 && grid.columns > 0 && grid.rows <= kLargest && grid.columns <= kLargest,
          ErrorCode::Option,
          "a matrix of " + std::to_string(grid.rows) + " x " + std::to_string(grid.columns) +
              " is not possible; both sizes must be 1 to " + std::to_string(kLargest));
  require(
      grid.block.rows > 0 && grid.block.columns > 0 && grid.block.rows <= 1024 && grid.block.columns <= 1024,
      ErrorCode::Option,
      "a block of " + std::to_string(grid.block.rows) + " x " + std::to_string(grid.block.columns) +
          " is not possible; both sizes must be 1 to 1024");
}

void checkCsr(const Grid& grid, std::span<const int64_t> rowOffsets, std::span<const int32_t> columns) {
  checkGrid(grid);
  const int64_t entries = static_cast<int64_t>(columns.size());
  require(static_cast<int64_t>(rowOffsets.size()) == grid.blockRows() + 1, ErrorCode::Data,
          "row offsets: " + std::to_string(rowOffsets.size()) + " given, " +
              std::to_string(grid.blockRows() + 1) + " needed");
  require(entries <= std::numeric_limits<int32_t>::max(), ErrorCode::Option,
          "a layer holds at most 2147483647 blocks; " + std::to_string(entries) + " given");
  require(rowOffsets.front() == 0 && rowOffsets.back() == entries, ErrorCode::Data,
          "row offsets must run from 0 to the number of entries, " + std::to_string(entries));
  for (int64_t row = 0; row < grid.blockRows(); ++row) {
    const int64_t begin = rowOffsets[row], end = rowOffsets[row + 1];
    if (begin > end || end > entries) {
      throw Error(ErrorCode::Data, "row offsets descend at row " + std::to_string(row));
    }
    // Plain ifs: a message made for every entry would cost far more than the check.
    for (int64_t entry = begin; entry < end; ++entry) {
      if (columns[entry] < 0 || columns[entry] >= grid.blockColumns()) {
        throw Error(ErrorCode::Data, "column " + std::to_string(columns[entry]) + " at entry " +
                                         std::to_string(entry) + " is outside 0 .. " +
                                         std::to_string(grid.blockColumns() - 1));
      }
      if (entry > begin && columns[entry - 1] >= columns[entry]) {
        throw Error(ErrorCode::Data, "columns are not ascending at entry " + std::to_string(entry));
      }
    }
  }
}

Pattern::Pattern(const Grid& grid, Array<int64_t> rowOffsets, Array<int32_t> columns)
    : grid_(grid), rowOffsets_(std::move(rowOffsets)), columns_(std::move(columns)) {
  checkCsr(grid_, rowOffsets_, columns_);
  buildTransposeView();
}

void Pattern::replace(Array<int64_t> rowOffsets, Array<int32_t> columns) {
  checkCsr(grid_, rowOffsets, columns);
  rows_.reserve(columns.size());
  valueIndex_.reserve(columns.size());
  rowOffsets_.swap(rowOffsets);
  columns_.swap(columns);
  buildTransposeView();
}

Pattern Pattern::fromPositions(const Grid& grid, std::span<const int64_t> positions) {
  checkGrid(grid);
  Array<int64_t> rowOffsets(static_cast<size_t>(grid.blockRows()) + 1, 0);
  Array<int32_t> columns(positions.size());
  const int64_t width = grid.blockColumns();
  for (size_t i = 0; i < positions.size(); ++i) {
    require(positions[i] >= 0 && positions[i] < grid.positions(), ErrorCode::Internal,
            "a position outside the grid");
    ++rowOffsets[static_cast<size_t>(positions[i] / width) + 1];
    columns[i] = static_cast<int32_t>(positions[i] % width);
  }
  for (size_t row = 1; row < rowOffsets.size(); ++row) rowOffsets[row] += rowOffsets[row - 1];
  return Pattern(grid, std::move(rowOffsets), std::move(columns));
}

void Pattern::buildTransposeView() {
  const int64_t width = grid_.blockColumns();
  rows_.resize(columns_.size());
  valueIndex_.resize(columns_.size());
  columnOffsets_.assign(static_cast<size_t>(width) + 1, 0);
  for (const int32_t column : columns_) ++columnOffsets_[column + 1];
  for (int64_t column = 0; column < width; ++column) columnOffsets_[column + 1] += columnOffsets_[column];
  // Filling moves each column's offset to its end, which is where the next one began.
  for (int64_t row = 0; row < grid_.blockRows(); ++row) {
    for (int64_t entry = rowOffsets_[row]; entry < rowOffsets_[row + 1]; ++entry) {
      const int64_t slot = columnOffsets_[columns_[entry]]++;
      rows_[slot] = static_cast<int32_t>(row);
      valueIndex_[slot] = static_cast<int32_t>(entry);
    }
  }
  std::copy_backward(columnOffsets_.begin(), columnOffsets_.end() - 1, columnOffsets_.end());
  columnOffsets_[0] = 0;
  connections_ = countConnections();
}

int64_t Pattern::countConnections() const {
  // Only the last block row and the last block column may reach into padding.
  const int64_t lastRow = grid_.blockRows() - 1, lastColumn = grid_.blockColumns() - 1;
  const int64_t missingRows = grid_.blockRows() * block().rows - grid_.rows;
  const int64_t missingColumns = grid_.blockColumns() * block().columns - grid_.columns;
  const int64_t inLastRow = rowOffsets_[lastRow + 1] - rowOffsets_[lastRow];
  const int64_t inLastColumn = columnOffsets_[lastColumn + 1] - columnOffsets_[lastColumn];
  const bool corner = inLastRow > 0 && columns_[rowOffsets_[lastRow + 1] - 1] == lastColumn;
  return values() - inLastRow * missingRows * block().columns - inLastColumn * missingColumns * block().rows +
         (corner ? missingRows * missingColumns : 0);
}

Array<int64_t> Pattern::positions() const {
  Array<int64_t> result(columns_.size());
  const int64_t width = grid_.blockColumns();
  for (int64_t row = 0; row < grid_.blockRows(); ++row) {
    for (int64_t entry = rowOffsets_[row]; entry < rowOffsets_[row + 1]; ++entry) {
      result[entry] = row * width + columns_[entry];
    }
  }
  return result;
}

Array<int64_t> Pattern::fanIn() const {
  Array<int64_t> result(static_cast<size_t>(grid_.rows));
  const int64_t lastColumn = grid_.blockColumns() - 1;
  const int64_t lastWidth = grid_.columns - lastColumn * block().columns;
  for (int64_t output = 0; output < grid_.rows; ++output) {
    const int64_t row = output / block().rows;
    const int64_t begin = rowOffsets_[row], end = rowOffsets_[row + 1];
    int64_t inputs = (end - begin) * block().columns;
    if (end > begin && columns_[end - 1] == lastColumn) inputs += lastWidth - block().columns;
    result[output] = inputs;
  }
  return result;
}

int64_t Pattern::bytes() const {
  const auto size = [](const auto& array) {
    return static_cast<int64_t>(array.capacity() * sizeof(array[0]));
  };
  return size(rowOffsets_) + size(columns_) + size(columnOffsets_) + size(rows_) + size(valueIndex_);
}

}  // namespace espalier
