#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/features.h"
#include "device/cuda/kernels/step_parameters.h"
#include "model/loss.h"

namespace espalier::cuda {

/// Samples of a batch at most: grids have 65535 blocks along y, and gatherBatch() takes the fewest samples to
/// a block, 32.
inline constexpr int32_t kLargestBatch = 65535 * 32;

/// batch[feature][sample] = feature of the step's samples; samples from the step's count on are 0. Transposes
/// through shared memory, so that both sides are read and written in whole lines.
void gatherBatch(const Context& context, const StepParameters* step, int32_t features, FeaturesOut batch,
                 int32_t stride);

/// Sums over the samples of one batch, in the host's memory.
struct StepOutcome {
  double lossSum = 0;
  int64_t correct = 0;
  /// Written last: the number of the step that the rest belongs to (StepParameters::step).
  int64_t step = 0;
};

/// The loss of each sample and the gradient of the batch's mean, from the last layer's outputs
/// [units][stride]; see model/loss.h. Padding's gradient is 0. gradient.values may be null, for evaluation.
/// Sums run in double in a fixed order. outcomes: ring of `slots` in pinned memory, slot step % slots is
/// written. losses and rights: scratch of `stride` numbers each.
void lossAndGradient(const Context& context, Loss loss, const float* outputs, FeaturesOut gradient,
                     int32_t units, int32_t stride, const StepParameters* step, double* losses,
                     int32_t* rights, StepOutcome* outcomes, int32_t slots);

/// predictions[sample][unit], row-major: softmax, sigmoid or the outputs themselves, by the loss.
void predictionsOf(const Context& context, Loss loss, const float* outputs, int32_t units, int32_t stride,
                   int32_t count, float* predictions);

/// Inverted dropout, by the Philox numbers that the processor's kernel takes: output = input where kept,
/// scaled by 1 / (1 - rate), or a plain copy where the step is not training. The gradient takes the same
/// function. seed: of the network; each step's own is derived from it, `layer` and the step's number.
void dropout(const Context& context, float rate, uint64_t seed, uint32_t layer, const float* input,
             FeaturesOut output, int32_t features, int32_t stride, const StepParameters* step);

}  // namespace espalier::cuda
