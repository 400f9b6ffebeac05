#pragma once

#include <cstdint>

namespace espalier::cuda {

/// One of the two views of a block CSR matrix on the card, as a product walks it: "outputs" are rows of the
/// CSR view and columns of the transpose view. The weight of output i and input k of an entry is
/// values[valueIndex(entry) x blockOutputs x blockInputs + i x outputStride + k x inputStride], an index that
/// needs 64 bits. Weights of padding are 0.
struct SparseView {
  /// First entry of each block row, blockRows + 1 of them.
  const int32_t* offsets = nullptr;
  /// Block column of each entry, ascending in each row.
  const int32_t* indices = nullptr;
  /// Where each entry's weights are, or null for the entry's own number.
  const int32_t* valueIndex = nullptr;
  const float* values = nullptr;
  /// Block rows, those with the most entries first.
  const int32_t* order = nullptr;
  int32_t blockRows = 0;
  int32_t blockColumns = 0;
  int32_t entries = 0;
  int32_t blockOutputs = 1;
  int32_t blockInputs = 1;
  int32_t outputStride = 1;
  int32_t inputStride = 1;
};

/// Where the entries of each row cross from one chunk of block columns into the next: entries of row r in
/// chunk c are offsets[c x blockRows + r] to offsets[(c + 1) x blockRows + r]. (chunks + 1) x blockRows
/// numbers.
struct ChunkOffsets {
  const int32_t* offsets = nullptr;
  int32_t chunks = 0;
  /// Block columns of a chunk; the last one may have fewer.
  int32_t chunkColumns = 0;
};

}  // namespace espalier::cuda
