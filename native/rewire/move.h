#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "sparse/pattern.h"

namespace espalier {

/// One rewiring of one layer: the new entries, and where each of them comes from.
struct Move {
  Array<int64_t> rowOffsets;
  Array<int32_t> columns;
  /// For each new entry the old one whose weight and optimizer state it takes, or -1 where it starts afresh.
  Array<int32_t> source;
  /// Entries that were dropped and grown again in the same place.
  int64_t returned = 0;
};

/// dropped: ascending entries of the old pattern. grown: ascending block positions that are not kept ones.
/// returnedKeepState: whether an entry that was dropped and grown again goes on with its weight and state
/// (RigL) or starts afresh (SET). Throws Error(Internal) where the lists do not fit the pattern.
Move moveEntries(const Pattern& old, std::span<const int32_t> dropped, std::span<const int64_t> grown,
                 bool returnedKeepState);

/// Brings an array of blockSize numbers per entry, in the old order, into the new one; new entries are 0.
/// `spare` is memory that changes places with that of `values`, made where it is not of the new size: several
/// arrays that keep their size need but one.
void moveValues(const Move& move, int32_t blockSize, AlignedBuffer<float>& values,
                AlignedBuffer<float>& spare);
void moveValues(const Move& move, int32_t blockSize, AlignedBuffer<int32_t>& values,
                AlignedBuffer<int32_t>& spare);

}  // namespace espalier
