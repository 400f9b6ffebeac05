#include "rewire/move.h"

#include <algorithm>
#include <utility>

namespace espalier {
namespace {

template <typename T>
void reorder(const Move& move, int32_t blockSize, AlignedBuffer<T>& values, AlignedBuffer<T>& spare) {
  const auto entries = static_cast<int64_t>(move.source.size());
  const int64_t size = checkedProduct(entries, blockSize);
  if (spare.size() != size) spare = AlignedBuffer<T>(size);
  for (int64_t entry = 0; entry < entries; ++entry) {
    const int64_t source = move.source[entry];
    T* const target = spare.data() + entry * blockSize;
    if (source >= 0) {
      std::copy_n(values.data() + source * blockSize, blockSize, target);
    } else {
      std::fill_n(target, blockSize, T{0});
    }
  }
  std::swap(values, spare);
}

}  // namespace

Move moveEntries(const Pattern& old, std::span<const int32_t> dropped, std::span<const int64_t> grown,
                 bool returnedKeepState) {
  const Grid& grid = old.grid();
  const int64_t width = grid.blockColumns();
  const int64_t entries =
      old.entries() - static_cast<int64_t>(dropped.size()) + static_cast<int64_t>(grown.size());
  require(entries >= 0, ErrorCode::Internal, "more entries dropped than there are");
  Move move;
  move.rowOffsets.assign(static_cast<size_t>(grid.blockRows()) + 1, 0);
  move.columns.resize(static_cast<size_t>(entries));
  move.source.resize(static_cast<size_t>(entries));

  // One walk over the old entries and the grown positions, both ascending.
  size_t drop = 0, grow = 0;
  int64_t next = 0;
  const auto append = [&](int64_t column, int64_t source) {
    if (next == entries)
      throw Error(ErrorCode::Internal, "the dropped and grown entries do not fit the pattern");
    move.columns[next] = static_cast<int32_t>(column);
    move.source[next++] = static_cast<int32_t>(source);
  };
  for (int64_t row = 0; row < grid.blockRows(); ++row) {
    const int64_t first = row * width;
    const auto growBefore = [&](int64_t column) {
      for (; grow < grown.size() && grown[grow] < first + column; ++grow) append(grown[grow] - first, -1);
    };
    for (int64_t entry = old.rowOffsets()[row]; entry < old.rowOffsets()[row + 1]; ++entry) {
      const int64_t column = old.columns()[entry];
      growBefore(column);
      if (drop == dropped.size() || dropped[drop] != entry) {
        append(column, entry);
        continue;
      }
      ++drop;
      if (grow < grown.size() && grown[grow] == first + column) {
        append(column, returnedKeepState ? entry : -1);
        ++move.returned;
        ++grow;
      }
    }
    growBefore(width);
    move.rowOffsets[row + 1] = next;
  }
  require(drop == dropped.size() && grow == grown.size() && next == entries, ErrorCode::Internal,
          "the dropped and grown entries do not fit the pattern");
  return move;
}

void moveValues(const Move& move, int32_t blockSize, AlignedBuffer<float>& values,
                AlignedBuffer<float>& spare) {
  reorder(move, blockSize, values, spare);
}
void moveValues(const Move& move, int32_t blockSize, AlignedBuffer<int32_t>& values,
                AlignedBuffer<int32_t>& spare) {
  reorder(move, blockSize, values, spare);
}

}  // namespace espalier
