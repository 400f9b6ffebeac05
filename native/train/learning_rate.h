#pragma once

#include <cstdint>

namespace espalier {

enum class LearningRateKind {
  Constant,
  /// Times `factor` after every `every` epochs.
  Step,
  /// Half a cosine from 1 down to `minimum` (Loshchilov and Hutter, 2017, without restarts).
  Cosine,
  /// Cosine up from `start` to 1 over the share `rise` of the steps, then cosine down to `end` (Smith and
  /// Topin, 2018).
  OneCycle
};

/// How the learning rate changes over training, as a factor of the optimizer's.
struct LearningRateSchedule {
  LearningRateKind kind = LearningRateKind::Constant;
  double every = 1;
  double factor = 0.1;
  double minimum = 0;
  double rise = 0.3;
  double start = 0.04;
  double end = 0.0001;
  /// Steps of linear warm-up that multiply all of the above.
  int64_t warmup = 0;
};

/// The factor at `step`, counted from 0, of a run of `epochs` x `stepsPerEpoch` steps.
double learningRateFactor(const LearningRateSchedule& schedule, int64_t step, int64_t stepsPerEpoch,
                          int64_t epochs);

}  // namespace espalier
