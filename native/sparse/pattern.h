#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/memory.h"

namespace espalier {

/// r consecutive outputs x c consecutive inputs that exist together. 1 x 1 is plain CSR.
struct BlockShape {
  int32_t rows = 1;
  int32_t columns = 1;
  int32_t size() const { return rows * columns; }
  bool operator==(const BlockShape&) const = default;
};

/// Rows x columns in weights, and the grid of blocks that covers it. Sizes that do not divide are padded by
/// the last block row and column; padding holds zero weights and is never counted.
struct Grid {
  int64_t rows = 0;
  int64_t columns = 0;
  BlockShape block;

  int64_t blockRows() const { return divideUp(rows, block.rows); }
  int64_t blockColumns() const { return divideUp(columns, block.columns); }
  /// Number of block positions.
  int64_t positions() const { return blockRows() * blockColumns(); }
  bool operator==(const Grid&) const = default;
};

/// The two arrays of a block CSR pattern, before anybody has checked them.
struct CsrArrays {
  Array<int64_t> rowOffsets;
  Array<int32_t> columns;
};

/// Which blocks of a weight matrix exist: block CSR and its transpose view. An entry is one block; its
/// block.rows x block.columns weights lie row by row at entry x block.size() of every array that follows the
/// pattern. Both views are always consistent: whatever makes or changes a pattern checks it.
class Pattern {
 public:
  /// Of both views.
  static constexpr int64_t kBytesPerEntry = 3 * sizeof(int32_t);

  Pattern() = default;

  /// Takes CSR arrays and builds the transpose view. rowOffsets: blockRows + 1, ascending from 0; columns:
  /// ascending in each row, below blockColumns. Throws Error(Data) that names the first place where this does
  /// not hold.
  Pattern(const Grid& grid, Array<int64_t> rowOffsets, Array<int32_t> columns);

  /// From ascending, distinct block positions (block row x block columns + block column).
  static Pattern fromPositions(const Grid& grid, std::span<const int64_t> positions);

  /// Takes other entries for the same grid; memory is reused, and nothing changes where it throws.
  void replace(Array<int64_t> rowOffsets, Array<int32_t> columns);

  const Grid& grid() const { return grid_; }
  const BlockShape& block() const { return grid_.block; }
  /// Number of blocks that exist.
  int64_t entries() const { return static_cast<int64_t>(columns_.size()); }
  /// Number of stored weights, padding included.
  int64_t values() const { return entries() * block().size(); }
  /// Number of weights that exist, padding left out.
  int64_t connections() const { return connections_; }

  const Array<int64_t>& rowOffsets() const { return rowOffsets_; }
  const Array<int32_t>& columns() const { return columns_; }
  const Array<int64_t>& columnOffsets() const { return columnOffsets_; }
  /// Block row of each entry of the transpose view, ascending in each column.
  const Array<int32_t>& rows() const { return rows_; }
  /// Entry of the CSR view for each entry of the transpose view.
  const Array<int32_t>& valueIndex() const { return valueIndex_; }

  /// Block position of each entry, ascending.
  Array<int64_t> positions() const;
  /// Weights into each output (padding left out).
  Array<int64_t> fanIn() const;
  /// Bytes of both views.
  int64_t bytes() const;

 private:
  void buildTransposeView();
  int64_t countConnections() const;

  Grid grid_;
  Array<int64_t> rowOffsets_{0};
  Array<int32_t> columns_;
  Array<int64_t> columnOffsets_{0};
  Array<int32_t> rows_;
  Array<int32_t> valueIndex_;
  int64_t connections_ = 0;
};

/// Checks CSR arrays against a grid, as Pattern's constructor does. Throws Error(Data).
void checkCsr(const Grid& grid, std::span<const int64_t> rowOffsets, std::span<const int32_t> columns);

/// Checks that a grid is usable: positive sizes, block of at least 1 x 1, positions within int64. Throws
/// Error(Option).
void checkGrid(const Grid& grid);

}  // namespace espalier
