#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "device/cpu/kernels/kernels.h"
#include "sparse/pattern.h"

namespace espalier::cpu {

/// A copy of a sparse matrix for products with one sample after another: about three times as fast as CSR
/// where the inputs of a tile are looked up in registers.
class SlicedMatrix {
 public:
  /// None where the matrix consists of blocks, where so many zeros would have to fill up the slices that CSR
  /// is as fast, below about 2 % of the weights, or where listing the tiles would take more than the weights.
  static std::optional<SlicedMatrix> of(const Pattern& pattern, std::span<const float> values);

  SlicedView view() const { return {slices_, tiles_, depths_.data(), values_.data(), places_.data()}; }
  int64_t bytes() const {
    return static_cast<int64_t>(depths_.size()) + values_.bytes() + static_cast<int64_t>(places_.size());
  }

 private:
  explicit SlicedMatrix(const Pattern& pattern);
  void fill(const Pattern& pattern, std::span<const float> values);

  int64_t slices_;
  int64_t tiles_;
  std::vector<uint8_t> depths_;
  AlignedBuffer<float> values_;
  std::vector<uint8_t> places_;
};

}  // namespace espalier::cpu
