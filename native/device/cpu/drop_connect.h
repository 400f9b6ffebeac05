#pragma once

#include <cstdint>

#include "base/aligned_buffer.h"
#include "device/cpu/kernels/kernels.h"
#include "device/cpu/work_shares.h"

namespace espalier::cpu {

/// DropConnect of one layer (Wan et al., ICML 2013): each training step leaves out each weight with
/// probability `rate`, for its whole batch, and scales the others up, so that nothing changes when not
/// training. That a step has one mask, and not every sample its own as in the paper, is ours: a mask of
/// weights is then one matrix. The mask is a function of (seed, layer, step, number of the weight among those
/// stored), and is kept nowhere.
class DropConnect {
 public:
  /// Of a layer that leaves no weight out.
  DropConnect() = default;
  DropConnect(float rate, uint64_t seed, int64_t layer, int64_t weights)
      : rate_(rate), seed_(seed), layer_(static_cast<uint32_t>(layer)), left_(rate > 0 ? weights : 0) {}

  bool drops() const { return !left_.empty(); }

  /// Before the panels of a training step: a member's share of what is left of the weights. Holds when every
  /// member has come here.
  void begin(const Kernels& kernels, const Team& team, int64_t step, const float* weights);

  /// The weights that the step multiplies.
  const float* left() const { return left_.data(); }

  /// Turns the gradients of what is left of weights [first, first + count) into those of the weights.
  void mask(const Kernels& kernels, int64_t first, int64_t count, float* gradients) const {
    kernels.dropConnect(rate_, stepSeed_, first, gradients, gradients, count);
  }

  int64_t bytes() const { return left_.bytes(); }

 private:
  float rate_ = 0;
  uint64_t seed_ = 0;
  uint32_t layer_ = 0;
  uint64_t stepSeed_ = 0;
  AlignedBuffer<float> left_;
};

}  // namespace espalier::cpu
