#include "device/cpu/sliced_matrix.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace espalier::cpu {
namespace {

/// Places in a slice per weight up to which looking up beats fetching from memory.
constexpr int64_t kMostFilling = 5;

}  // namespace

std::optional<SlicedMatrix> SlicedMatrix::of(const Pattern& pattern, std::span<const float> values) {
  const Grid& grid = pattern.grid();
  const int64_t tiles = divideUp(grid.rows, kSliceRows) * divideUp(grid.columns, kSliceInputs);
  // A byte for each tile is not to be more than the weights.
  if (grid.block.size() > 1 || tiles > pattern.entries() * int64_t{sizeof(float)}) return std::nullopt;
  SlicedMatrix matrix(pattern);
  const int64_t depth = std::accumulate(matrix.depths_.begin(), matrix.depths_.end(), int64_t{0});
  if (depth * kSliceRows > kMostFilling * pattern.entries()) return std::nullopt;
  matrix.values_ = AlignedBuffer<float>(depth * kSliceRows);
  matrix.places_.assign(static_cast<size_t>(depth * kSliceRows), 0);
  matrix.fill(pattern, values);
  return matrix;
}

SlicedMatrix::SlicedMatrix(const Pattern& pattern)
    : slices_(divideUp(pattern.grid().rows, kSliceRows)),
      tiles_(divideUp(pattern.grid().columns, kSliceInputs)),
      depths_(static_cast<size_t>(checkedProduct(slices_, tiles_)), 0) {
  std::vector<uint8_t> inRow(static_cast<size_t>(tiles_));
  for (int64_t row = 0; row < pattern.grid().rows; ++row) {
    std::fill(inRow.begin(), inRow.end(), uint8_t{0});
    for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry)
      ++inRow[pattern.columns()[entry] / kSliceInputs];
    uint8_t* const depths = depths_.data() + row / kSliceRows * tiles_;
    for (int64_t tile = 0; tile < tiles_; ++tile) depths[tile] = std::max(depths[tile], inRow[tile]);
  }
}

void SlicedMatrix::fill(const Pattern& pattern, std::span<const float> values) {
  // A slice's tiles follow each other; those of the row in hand begin at `first` and go on by their depths.
  int64_t first = 0;
  for (int64_t slice = 0; slice < slices_; ++slice) {
    const uint8_t* const depths = depths_.data() + slice * tiles_;
    const int64_t begin = slice * kSliceRows, end = std::min(begin + kSliceRows, pattern.grid().rows);
    for (int64_t row = begin; row < end; ++row) {
      int64_t entry = pattern.rowOffsets()[row], place = first + row - begin;
      for (int64_t tile = 0; tile < tiles_; ++tile) {
        int64_t next = place;
        const int64_t input = tile * kSliceInputs;
        for (; entry < pattern.rowOffsets()[row + 1]; ++entry, next += kSliceRows) {
          if (pattern.columns()[entry] >= input + kSliceInputs) break;
          values_[next] = values[entry];
          places_[static_cast<size_t>(next)] = static_cast<uint8_t>(pattern.columns()[entry] - input);
        }
        place += depths[tile] * int64_t{kSliceRows};
      }
    }
    first += std::accumulate(depths, depths + tiles_, int64_t{0}) * kSliceRows;
  }
}

}  // namespace espalier::cpu
