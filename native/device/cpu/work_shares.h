#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "device/cpu/kernels/kernels.h"

namespace espalier::cpu {

/// Part `part` of `parts` of count items, equal to within `unit` items.
inline Range evenShare(int64_t count, int part, int parts, int64_t unit = 1) {
  const int64_t units = divideUp(count, unit);
  return {std::min(count, units * part / parts * unit), std::min(count, units * (part + 1) / parts * unit)};
}

/// Rows divided so that every part has about as many nonzeros.
class RowShares {
 public:
  RowShares() = default;

  /// offsets: first entry of each row and the end; valuesPerEntry: weights of an entry.
  RowShares(std::span<const int64_t> offsets, int64_t valuesPerEntry, int parts)
      : bounds_(static_cast<size_t>(parts) + 1) {
    constexpr int64_t kRowCost = 8;  // storing a row costs about as much as so many nonzeros
    const auto rows = static_cast<int64_t>(offsets.size()) - 1;
    const auto work = [&](int64_t row) { return offsets[row] * valuesPerEntry + row * kRowCost; };
    bounds_.back() = rows;
    int64_t row = 0;
    for (int part = 1; part < parts; ++part) {
      const double target = static_cast<double>(work(rows)) * part / parts;
      while (row < rows && static_cast<double>(work(row)) < target) ++row;
      bounds_[part] = row;
    }
  }

  Range of(int part) const { return {bounds_[part], bounds_[part + 1]}; }

 private:
  std::vector<int64_t> bounds_{0, 0};
};

}  // namespace espalier::cpu
