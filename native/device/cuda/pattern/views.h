#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"

namespace espalier::cuda {

/// A CSR pattern on the card.
struct CsrArrays {
  const int32_t* offsets = nullptr;
  const int32_t* indices = nullptr;
  int32_t rows = 0;
  int32_t columns = 0;
  int32_t entries = 0;
};

/// The arrays of a transpose view to fill: offsets columns + 1, rows and valueIndex one per entry.
struct TransposeArrays {
  int32_t* offsets = nullptr;
  int32_t* rows = nullptr;
  int32_t* valueIndex = nullptr;
};

/// First entry of each column in the transpose view. cursor: columns numbers, gets a copy.
void countColumns(Context& context, const CsrArrays& csr, int32_t* columnOffsets, int32_t* cursor);

/// The whole transpose view, rows ascending in each column. cursor: columns numbers of scratch. Takes no
/// memory.
void buildTransposeView(Context& context, const CsrArrays& csr, const TransposeArrays& transpose,
                        int32_t* cursor);

/// See ChunkOffsets: chunk offsets of every row, (chunks + 1) x rows.
void findChunks(Context& context, const CsrArrays& csr, int32_t chunkColumns, int32_t* chunkOffsets);

}  // namespace espalier::cuda
