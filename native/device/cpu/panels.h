#pragma once

#include <cstdint>

#include "base/aligned_buffer.h"
#include "base/error.h"

namespace espalier::cpu {

/// Activations or gradients: `count` feature-major panels of `rows` features x `stride` samples. Rows beyond
/// the real features are padding of blocks and stay 0.
class Panels {
 public:
  Panels() = default;
  Panels(int64_t rows, int64_t stride, int64_t count)
      : size_(checkedProduct(rows, stride)), data_(checkedProduct(size_, count)) {}

  float* operator[](int64_t panel) { return data_.data() + panel * size_; }
  const float* operator[](int64_t panel) const { return data_.data() + panel * size_; }
  int64_t bytes() const { return data_.bytes(); }
  bool empty() const { return data_.empty(); }

 private:
  int64_t size_ = 0;
  AlignedBuffer<float> data_;
};

}  // namespace espalier::cpu
