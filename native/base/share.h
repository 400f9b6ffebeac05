#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace espalier {

/// floor(x), except where x lies within rounding error below a whole number: 0.29 x 100 is 28.999999999999996
/// in binary and means 29.
inline int64_t floorOfProduct(double x) {
  const double whole = std::round(x);
  if (std::abs(x - whole) <= 1e-13 * std::max(1.0, std::abs(x))) return static_cast<int64_t>(whole);
  return static_cast<int64_t>(std::floor(x));
}

/// floor(share x size) as a reader of decimal numbers expects it, 0 to size. share: 0..1.
inline int64_t wholeShare(double share, int64_t size) {
  return std::clamp<int64_t>(floorOfProduct(share * static_cast<double>(size)), 0, size);
}

}  // namespace espalier
