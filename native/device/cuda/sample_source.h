#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/step_parameters.h"
#include "device/device.h"

namespace espalier::cuda {

/// Brings samples to the card. A data set that fits stays there whole, and kernels pick the batch from it;
/// a larger one is streamed batch by batch through two pinned buffers, so that one is copied while the other
/// is worked on.
class SampleSource {
 public:
  /// batchSize: samples of the largest batch to come; outputs: targets of a sample; largestShare: of the free
  /// memory, what one data set may take.
  SampleSource(Context& context, int64_t batchSize, int64_t outputs, double largestShare = 0.5);
  ~SampleSource();

  /// Says in `parameters` where the batch lies, and queues what it takes to have it there. Queue the step
  /// that uses it next, and call release() behind it.
  void locate(const Samples& samples, const Batch& batch, StepParameters& parameters);
  void release();

  /// Lets go of the sets that it keeps: another may lie in their place in the host's memory by the next call.
  void forget();

 private:
  struct Resident;
  struct Slot;
  struct Known {
    const float* values = nullptr;
    int64_t count = 0;
    /// Null where the set is streamed.
    std::unique_ptr<Resident> resident;
  };

  const Known& know(const Samples& samples);
  bool fits(const Samples& samples) const;
  void stream(const Samples& samples, const Batch& batch, StepParameters& parameters);

  Context& context_;
  const int64_t batchSize_;
  const int64_t outputs_;
  const double largestShare_;
  Stream copies_;
  std::vector<Known> known_;
  std::array<std::unique_ptr<Slot>, 2> slots_;
  size_t nextSlot_ = 0;
  Slot* inUse_ = nullptr;
};

}  // namespace espalier::cuda
