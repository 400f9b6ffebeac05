#pragma once

#include <cstdint>

#include "device/cuda/pattern/search.cuh"
#include "device/cuda/pattern/views.h"
#include "device/cuda/rewire/drop_view.h"
#include "device/cuda/rewire/gradient_stream.h"

namespace espalier::cuda {

/// Bits of infinity: what is larger is NaN, which never wins.
inline constexpr uint32_t kInfinityBits = 0x7F800000u;

/// Larger magnitudes first, of equal ones the smaller position.
__device__ __forceinline__ Key growKey(uint32_t magnitude, int64_t position) {
  return {0x7FFFFFFFu - magnitude, static_cast<uint64_t>(position)};
}

/// A panel of the dense gradient, as kernels walk over its block positions; also a source of keys, those of
/// the positions that are not kept.
struct PanelKeys {
  static constexpr int kKinds = 1;

  GradientPanel panel;
  int32_t blockRows;
  int32_t blockColumns;
  CsrArrays csr;
  DropView drops;

  /// Fewer than 2^32 fit into a panel.
  __device__ int64_t size() const { return int64_t{panel.rows} * panel.columns; }
  __device__ int32_t rowOf(int64_t i) const {
    return panel.first +
           static_cast<int32_t>(static_cast<uint32_t>(i) / static_cast<uint32_t>(panel.columns)) * panel.step;
  }
  __device__ int32_t columnOf(int64_t i) const {
    return static_cast<int32_t>(static_cast<uint32_t>(i) % static_cast<uint32_t>(panel.columns));
  }
  __device__ int64_t position(int64_t i) const { return int64_t{rowOf(i)} * panel.columns + columnOf(i); }

  /// Bits of |gradient|, of a block of the sum of its squares: row by row in double and rounded once, the
  /// same number on every device.
  __device__ uint32_t magnitude(int64_t i) const {
    if (blockRows * blockColumns == 1) return __float_as_uint(panel.gradient[i]) & 0x7FFFFFFFu;
    const int64_t width = int64_t{panel.columns} * blockColumns;
    const auto panelRow =
        static_cast<int64_t>(static_cast<uint32_t>(i) / static_cast<uint32_t>(panel.columns));
    const float* row = panel.gradient + panelRow * blockRows * width + int64_t{columnOf(i)} * blockColumns;
    double sum = 0;
    for (int32_t r = 0; r < blockRows; ++r, row += width) {
#pragma unroll 4
      for (int32_t c = 0; c < blockColumns; ++c) sum += double{row[c]} * double{row[c]};
    }
    return __float_as_uint(static_cast<float>(sum)) & 0x7FFFFFFFu;
  }

  __device__ bool read(int64_t i, int&, Key& key) const {
    const uint32_t bits = magnitude(i);
    key = growKey(bits, position(i));
    return bits <= kInfinityBits;
  }
  /// Looks the position up among those that are kept.
  __device__ bool admits(int64_t i) const {
    const int32_t row = rowOf(i), column = columnOf(i);
    const int32_t end = csr.offsets[row + 1];
    const int32_t entry = lowerBound(csr.indices, csr.offsets[row], end, column);
    return entry == end || csr.indices[entry] != column || drops.drops(entry);
  }
};

/// Positions that may win, in any order; also a source of keys.
struct Candidates {
  static constexpr int kKinds = 1;

  uint32_t* magnitudes = nullptr;
  /// Low and high halves of positions; no high ones where all positions are below 2^32.
  uint32_t* low = nullptr;
  uint32_t* high = nullptr;
  int64_t capacity = 0;
  /// How many were found; those beyond the capacity are lost.
  unsigned long long* found = nullptr;

  __device__ void put(int64_t i, uint32_t magnitude, int64_t position) const {
    if (i >= capacity) return;
    magnitudes[i] = magnitude;
    low[i] = static_cast<uint32_t>(position);
    if (high != nullptr) high[i] = static_cast<uint32_t>(position >> 32);
  }
  __device__ int64_t position(int64_t i) const {
    return static_cast<int64_t>(high != nullptr ? uint64_t{high[i]} << 32 | low[i] : uint64_t{low[i]});
  }

  __device__ int64_t size() const { return static_cast<int64_t>(*found); }
  __device__ bool read(int64_t i, int&, Key& key) const {
    key = growKey(magnitudes[i], position(i));
    return true;
  }
  __device__ bool admits(int64_t) const { return true; }
};

}  // namespace espalier::cuda
