#include "train/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace espalier {
namespace {

/// From `from` to `to` along half a cosine, position 0..1.
double cosineBetween(double from, double to, double position) {
  return to + (from - to) * 0.5 * (1.0 + std::cos(std::numbers::pi * std::clamp(position, 0.0, 1.0)));
}

}  // namespace

double learningRateFactor(const LearningRateSchedule& schedule, int64_t step, int64_t stepsPerEpoch,
                          int64_t epochs) {
  const auto total = static_cast<double>(stepsPerEpoch) * static_cast<double>(epochs);
  const double position = static_cast<double>(step) / std::max(total, 1.0);
  double factor = 1.0;
  switch (schedule.kind) {
    case LearningRateKind::Constant:
      break;
    case LearningRateKind::Step: {
      const auto epoch = static_cast<double>(step / std::max<int64_t>(stepsPerEpoch, 1));
      factor = std::pow(schedule.factor, std::floor(epoch / schedule.every));
      break;
    }
    case LearningRateKind::Cosine:
      factor = cosineBetween(1.0, schedule.minimum, position);
      break;
    case LearningRateKind::OneCycle:
      factor = position < schedule.rise
                   ? cosineBetween(schedule.start, 1.0, position / schedule.rise)
                   : cosineBetween(1.0, schedule.end,
                                   (position - schedule.rise) / std::max(1.0 - schedule.rise, 1e-9));
      break;
  }
  if (step < schedule.warmup) factor *= static_cast<double>(step + 1) / static_cast<double>(schedule.warmup);
  return factor;
}

}  // namespace espalier
