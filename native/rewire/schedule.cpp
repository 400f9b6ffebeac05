#include "rewire/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace espalier {
namespace {

double endOf(const RewireSchedule& schedule, const RunLength& run) {
  return schedule.until * static_cast<double>(run.steps());
}

}  // namespace

int64_t intervalOf(const RewireSchedule& schedule, const RunLength& run) {
  return schedule.every > 0 ? schedule.every : run.stepsPerEpoch;
}

bool rewiresAt(const RewireSchedule& schedule, const RunLength& run, int64_t step) {
  const int64_t interval = intervalOf(schedule, run);
  if (step <= 0 || interval <= 0 || step % interval != 0) return false;
  return static_cast<double>(step) < endOf(schedule, run);
}

double rewireFraction(const RewireSchedule& schedule, const RunLength& run, int64_t step, double learningRate,
                      double firstLearningRate) {
  const double end = endOf(schedule, run);
  const double done = end > 0 ? std::clamp(static_cast<double>(step) / end, 0.0, 1.0) : 1.0;
  switch (schedule.kind) {
    case FractionSchedule::Constant:
      return schedule.fraction;
    case FractionSchedule::Cosine:
      return schedule.minimum +
             (schedule.fraction - schedule.minimum) / 2 * (1 + std::cos(std::numbers::pi * done));
    case FractionSchedule::Exponential:
      return schedule.fraction * (1 - done) * (1 - done) * (1 - done);
    case FractionSchedule::LearningRate:
      return firstLearningRate > 0
                 ? schedule.fraction * std::clamp(learningRate / firstLearningRate, 0.0, 1.0)
                 : 0;
  }
  return 0;
}

}  // namespace espalier
