#pragma once

#include <cstdint>

#include "base/random.h"
#include "device/cuda/base/context.h"
#include "device/device.h"

namespace espalier::cuda {

/// Everything that changes from step to step. Lives in the card's memory, so that a captured graph finds the
/// new numbers where it found the old ones.
struct StepParameters {
  float learningRate = 0;
  /// Number of this optimizer step, from 1.
  int32_t update = 1;
  /// Number of this training step, from 1; keys dropout and DropConnect.
  int64_t step = 1;
  /// Samples of the batch; what a buffer holds beyond is padding: its inputs and gradients are 0.
  int32_t count = 0;
  /// Whether weights move; else kernels that would move them return at once.
  bool moveWeights = false;
  /// Whether dropout and DropConnect drop.
  bool training = false;
  /// Where the batch comes from, row-major in the card's memory: sample i of the batch is row
  /// order(first + i) of these where shuffled, else row first + i.
  bool shuffled = false;
  int64_t first = 0;
  Feistel order{1, 0};
  const float* values = nullptr;
  const int32_t* labels = nullptr;
  const float* targets = nullptr;

  ESPALIER_HOST_DEVICE int64_t row(int32_t sample) const {
    const int64_t rank = first + sample;
    return shuffled ? static_cast<int64_t>(order(static_cast<uint64_t>(rank))) : rank;
  }
};

/// *parameters = value, queued on the stream.
void setStep(const Context& context, const StepParameters& value, StepParameters* parameters);

/// What a training step says of itself; where its batch lies is still to be filled in.
StepParameters trainingStep(const StepSettings& settings);

/// Whether this library holds machine code, or code that the driver compiles, for the card in use.
bool cardRunsKernels();

}  // namespace espalier::cuda
