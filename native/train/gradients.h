#pragma once

#include <cstdint>
#include <vector>

#include "device/device.h"
#include "model/snapshot.h"

namespace espalier {

/// Gradients of a network's trained numbers, as the tensors of a snapshot: named, shaped and ordered as the
/// numbers are, with the patterns that say which connections they belong to.
struct Gradients {
  /// Of the mean loss over all samples.
  std::vector<Tensor> mean;
  /// Magnitudes of the gradients of the batches' mean losses, averaged over the samples.
  std::vector<Tensor> magnitude;
};

/// Collects the gradients of a network without changing it: what a device trains is a copy of the weights,
/// with dropout and DropConnect off, and with an optimizer that moves nothing and leaves each batch's
/// gradient in its memory.
class GradientRecorder {
 public:
  explicit GradientRecorder(const NetworkState& network);

  /// What the device is made for.
  NetworkState& network() { return network_; }

  /// Takes every batch of the samples, in their order, through the device. Throws Error(Diverged) where a
  /// loss is not finite.
  void record(Device& device, const Samples& samples, int64_t batchSize);

  /// After the device is gone.
  Gradients finish();

 private:
  struct Total {
    AlignedBuffer<float> mean;
    AlignedBuffer<float> magnitude;
  };

  template <typename Visit>
  void visitTotals(const Visit& visit);
  /// Adds what the device left of a batch.
  void add(float weight);

  NetworkState network_;
  /// One for each parameter.
  std::vector<Total> totals_;
};

}  // namespace espalier
