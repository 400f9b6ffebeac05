#include "device/cuda/pattern/device_pattern.h"

#include <algorithm>
#include <utility>

#include "device/cuda/pattern/views.h"

namespace espalier::cuda {
namespace {

/// Numbers of a view's chunk offsets.
int64_t chunkNumbers(int64_t rows, int64_t columns, int32_t chunkColumns) {
  return chunkColumns == 0 ? 0 : checkedProduct(divideUp(columns, chunkColumns) + 1, rows);
}

ChunkOffsets chunksOf(const DeviceBuffer<int32_t>& offsets, int64_t columns, int32_t chunkColumns) {
  if (chunkColumns == 0) return {};
  return {offsets.data(), static_cast<int32_t>(divideUp(columns, chunkColumns)), chunkColumns};
}

}  // namespace

DevicePattern::DevicePattern(Context& context, const Pattern& pattern, int32_t chunkColumns,
                             int32_t transposeChunkColumns)
    : grid_(pattern.grid()),
      rowOffsets_(context.memory, grid_.blockRows() + 1),
      columns_(context.memory, pattern.entries()),
      columnOffsets_(context.memory, grid_.blockColumns() + 1),
      rows_(context.memory, pattern.entries()),
      valueIndex_(context.memory, pattern.entries()),
      rowOrder_(context.memory, grid_.blockRows()),
      columnOrder_(context.memory, grid_.blockColumns()),
      orderScratch_(context, grid_.blockRows(), grid_.blockColumns()),
      rowChunks_(context.memory, chunkNumbers(grid_.blockRows(), grid_.blockColumns(), chunkColumns)),
      columnChunks_(context.memory,
                    chunkNumbers(grid_.blockColumns(), grid_.blockRows(), transposeChunkColumns)),
      chunkColumns_(chunkColumns),
      transposeChunkColumns_(transposeChunkColumns) {
  const Array<int32_t> offsets(pattern.rowOffsets().begin(), pattern.rowOffsets().end());
  rowOffsets_.upload(offsets);
  columns_.upload(pattern.columns());
  rebuildViews(context);
  // The copy of the offsets goes now.
  context.stream.synchronize();
}

SparseView DevicePattern::forwardView(const float* values) const {
  SparseView view;
  view.offsets = rowOffsets_.data();
  view.indices = columns_.data();
  view.values = values;
  view.order = rowOrder_.data();
  view.blockRows = static_cast<int32_t>(grid_.blockRows());
  view.blockColumns = static_cast<int32_t>(grid_.blockColumns());
  view.entries = entries();
  view.blockOutputs = grid_.block.rows;
  view.blockInputs = grid_.block.columns;
  view.outputStride = grid_.block.columns;
  view.inputStride = 1;
  return view;
}

SparseView DevicePattern::transposeView(const float* values) const {
  SparseView view;
  view.offsets = columnOffsets_.data();
  view.indices = rows_.data();
  view.valueIndex = valueIndex_.data();
  view.values = values;
  view.order = columnOrder_.data();
  view.blockRows = static_cast<int32_t>(grid_.blockColumns());
  view.blockColumns = static_cast<int32_t>(grid_.blockRows());
  view.entries = entries();
  view.blockOutputs = grid_.block.columns;
  view.blockInputs = grid_.block.rows;
  view.outputStride = 1;
  view.inputStride = grid_.block.columns;
  return view;
}

SparseView DevicePattern::gatheredTransposeView(const float* gathered) const {
  SparseView view = transposeView(gathered);
  view.valueIndex = nullptr;
  return view;
}

ChunkOffsets DevicePattern::forwardChunks() const {
  return chunksOf(rowChunks_, grid_.blockColumns(), chunkColumns_);
}

ChunkOffsets DevicePattern::transposeChunks() const {
  return chunksOf(columnChunks_, grid_.blockRows(), transposeChunkColumns_);
}

void DevicePattern::keepChunks(bool forward, bool transpose) {
  if (!forward) {
    rowChunks_ = {};
    chunkColumns_ = 0;
  }
  if (!transpose) {
    columnChunks_ = {};
    transposeChunkColumns_ = 0;
  }
}

void DevicePattern::recountColumns(Context& context) {
  countColumns(context, csr(), columnOffsets_.data(), columnOrder_.data());
}

void DevicePattern::rebuildViews(Context& context) {
  const CsrArrays own = csr();
  buildTransposeView(context, own, {columnOffsets_.data(), rows_.data(), valueIndex_.data()},
                     columnOrder_.data());
  orderRows(context, rowOffsets_.data(), own.rows, orderScratch_, rowOrder_.data());
  orderRows(context, columnOffsets_.data(), own.columns, orderScratch_, columnOrder_.data());
  if (chunkColumns_ != 0) findChunks(context, own, chunkColumns_, rowChunks_.data());
  if (transposeChunkColumns_ != 0) {
    const CsrArrays transposed{columnOffsets_.data(), rows_.data(), own.columns, own.rows, own.entries};
    findChunks(context, transposed, transposeChunkColumns_, columnChunks_.data());
  }
}

CsrArrays DevicePattern::csr() const {
  return {rowOffsets_.data(), columns_.data(), static_cast<int32_t>(grid_.blockRows()),
          static_cast<int32_t>(grid_.blockColumns()), entries()};
}

void DevicePattern::download(Pattern& pattern) const {
  Array<int32_t> offsets(static_cast<size_t>(rowOffsets_.size()));
  Array<int32_t> columns(static_cast<size_t>(columns_.size()));
  rowOffsets_.download(offsets);
  columns_.download(columns);
  Array<int64_t> wide(offsets.begin(), offsets.end());
  if (pattern.grid() == grid_ && pattern.entries() == entries()) {
    pattern.replace(std::move(wide), std::move(columns));
  } else {
    pattern = Pattern(grid_, std::move(wide), std::move(columns));
  }
}

int64_t DevicePattern::bytes() const {
  return rowOffsets_.bytes() + columns_.bytes() + columnOffsets_.bytes() + rows_.bytes() +
         valueIndex_.bytes() + rowOrder_.bytes() + columnOrder_.bytes() + orderScratch_.bytes() +
         rowChunks_.bytes() + columnChunks_.bytes();
}

}  // namespace espalier::cuda
