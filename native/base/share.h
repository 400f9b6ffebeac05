#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/portable.h"

namespace espalier {

/// floor(x), except where x lies within rounding error below a whole number: 0.29 x 100 is 28.999999999999996
/// in binary and means 29.
ESPALIER_HOST_DEVICE inline int64_t floorOfProduct(double x) {
  const double whole = std::round(x);
  if (std::abs(x - whole) <= 1e-13 * std::max(1.0, std::abs(x))) return static_cast<int64_t>(whole);
  return static_cast<int64_t>(std::floor(x));
}

/// floor(share x size) as a reader of decimal numbers expects it, 0 to size. share: 0..1.
ESPALIER_HOST_DEVICE inline int64_t wholeShare(double share, int64_t size) {
#ifdef __CUDA_ARCH__
  // Rounded once: a compiler that fused it with the next subtraction would round otherwise than the
  // processor.
  const double product = __dmul_rn(share, static_cast<double>(size));
#else
  const double product = share * static_cast<double>(size);
#endif
  return std::clamp<int64_t>(floorOfProduct(product), 0, size);
}

}  // namespace espalier
