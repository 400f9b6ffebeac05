#pragma once

#include <cstdint>

#include "device/cuda/rewire/selection.h"

namespace espalier::cuda {

/// Tells which entries are dropped: the least by magnitude, of equals the larger entry.
struct DropView {
  static constexpr uint32_t kMagnitude = 0x7FFFFFFFu;

  /// Bits of each entry's weight, or of its sum of squares.
  const uint32_t* sizes = nullptr;
  const Selection* selections = nullptr;
  int32_t entries = 0;
  /// Negative weights and others apart.
  bool bySign = false;

  /// 1 for weights below 0, which -0 and NaN are not.
  ESPALIER_HOST_DEVICE int kindOf(uint32_t bits) const {
    return bySign && bits > 0x80000000u && bits <= 0xFF800000u ? 1 : 0;
  }
  ESPALIER_HOST_DEVICE Key keyOf(uint32_t bits, int32_t entry) const {
    return {bits & kMagnitude, static_cast<uint64_t>(entries - 1 - entry)};
  }
  ESPALIER_HOST_DEVICE bool drops(int32_t entry) const {
    const uint32_t bits = sizes[entry];
    return precedes(keyOf(bits, entry), selections[kindOf(bits)].key);
  }
};

}  // namespace espalier::cuda
