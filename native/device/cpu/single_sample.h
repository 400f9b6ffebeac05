#pragma once

#include <optional>
#include <vector>

#include "base/aligned_buffer.h"
#include "device/cpu/kernels/kernels.h"
#include "device/cpu/sliced_matrix.h"
#include "model/state.h"

namespace espalier::cpu {

/// Takes one sample through a network as a vector, where a panel would be mostly padding. One thread's work.
/// The weights must stay as they are between calls.
class SingleSample {
 public:
  /// Whether a network consists of what works on vectors: neurons that have no parameters but their bias, and
  /// weights that are multiplied as they lie.
  static bool serves(const NetworkState& network);

  explicit SingleSample(const NetworkState& network);

  /// The outputs of the last layer, before what a loss makes of them. Valid until the next call.
  const float* run(const Kernels& kernels, const float* sample);

  int64_t bytes() const;

 private:
  void multiply(const Kernels& kernels, size_t layer);

  const NetworkState& network_;
  /// Input and output of the layer under way.
  AlignedBuffer<float> from_;
  AlignedBuffer<float> to_;
  /// A copy of each layer that has one, made at the second call: it takes longer to make than a call does.
  std::vector<std::optional<SlicedMatrix>> sliced_;
  int64_t calls_ = 0;
};

}  // namespace espalier::cpu
