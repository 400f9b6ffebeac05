#pragma once

#include <cstdint>

#include "base/aligned_buffer.h"
#include "base/error.h"
#include "device/cpu/kernels/kernels.h"

namespace espalier::cpu {

/// Samples of a panel, usually at most; and how many are divided no further.
inline constexpr int64_t kUsualPanel = 128;
inline constexpr int64_t kSmallestPanel = 64;

/// Samples that a panel should have at most, where the largest sparse layer stores so many weights: those of
/// a layer beyond the caches are fetched from memory once for every panel, so it gets wider ones.
inline constexpr int64_t kManyWeights = int64_t{1} << 19;
inline int64_t widestPanel(int64_t weights) {
  return weights > kManyWeights ? kLargestPanel : kUsualPanel;
}

/// Whether handing over the gradients of so many weights is cheaper than handing over the activations of a
/// batch, so that threads take a part of it each.
inline bool hasFewWeights(int64_t weights, int64_t features, int64_t batchSize) {
  return weights <= features * batchSize;
}

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
