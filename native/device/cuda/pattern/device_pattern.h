#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/sparse_view.h"
#include "device/cuda/pattern/row_order.h"
#include "device/cuda/pattern/views.h"
#include "sparse/pattern.h"

namespace espalier::cuda {

/// Which blocks of a weight matrix exist, on the card: both views, and what the products want to know of
/// them. Arrays keep their place and size, so captured graphs stay valid when connections move.
class DevicePattern {
 public:
  /// Uploads. chunkColumns: block columns of a chunk in the CSR view, and likewise block rows of a chunk in
  /// the transpose view, for the staged products; 0 for no chunks.
  DevicePattern(Context& context, const Pattern& pattern, int32_t chunkColumns,
                int32_t transposeChunkColumns);

  const Grid& grid() const { return grid_; }
  int32_t entries() const { return static_cast<int32_t>(columns_.size()); }
  int64_t values() const { return int64_t{entries()} * grid_.block.size(); }

  SparseView forwardView(const float* values) const;
  SparseView transposeView(const float* values) const;
  /// For 1 x 1 blocks: the transpose view over values that gatherValues() has brought into its order.
  SparseView gatheredTransposeView(const float* gathered) const;
  ChunkOffsets forwardChunks() const;
  ChunkOffsets transposeChunks() const;

  /// The CSR view. Whoever rewrites it calls rebuildViews() afterwards.
  int32_t* rowOffsets() { return rowOffsets_.data(); }
  int32_t* columns() { return columns_.data(); }
  const int32_t* rowOffsets() const { return rowOffsets_.data(); }
  const int32_t* columns() const { return columns_.data(); }
  const int32_t* valueIndex() const { return valueIndex_.data(); }

  CsrArrays csr() const;
  /// First entry of each block column in the transpose view, blockColumns + 1.
  const int32_t* columnOffsets() const { return columnOffsets_.data(); }

  /// Frees the chunk offsets that no product walks.
  void keepChunks(bool forward, bool transpose);

  /// Makes everything else from the CSR view, on the card. Takes no memory, so it cannot lack any.
  void rebuildViews(Context& context);

  /// Makes the column offsets alone, for who needs them before the rest.
  void recountColumns(Context& context);

  /// Two arrays of entries() numbers, to use as scratch while connections move: those of the transpose view,
  /// which are lost until rebuildViews().
  struct Loan {
    int32_t* first = nullptr;
    int32_t* second = nullptr;
  };
  Loan lendTransposeView() { return {rows_.data(), valueIndex_.data()}; }

  /// Brings the CSR view into the host's pattern; waits for the stream.
  void download(Pattern& pattern) const;

  int64_t bytes() const;

 private:
  Grid grid_;
  DeviceBuffer<int32_t> rowOffsets_;
  DeviceBuffer<int32_t> columns_;
  DeviceBuffer<int32_t> columnOffsets_;
  DeviceBuffer<int32_t> rows_;
  DeviceBuffer<int32_t> valueIndex_;
  DeviceBuffer<int32_t> rowOrder_;
  DeviceBuffer<int32_t> columnOrder_;
  RowOrderScratch orderScratch_;
  DeviceBuffer<int32_t> rowChunks_;
  DeviceBuffer<int32_t> columnChunks_;
  int32_t chunkColumns_ = 0;
  int32_t transposeChunkColumns_ = 0;
};

}  // namespace espalier::cuda
