#pragma once

#include <cstdint>

namespace espalier {

/// How the share of connections that move changes over training, with t the step and T_end the step after
/// which nothing moves.
enum class FractionSchedule {
  /// alpha.
  Constant,
  /// minimum + (alpha - minimum) / 2 (1 + cos(pi t / T_end)), RigL's default (Evci et al., 2020).
  Cosine,
  /// alpha (1 - t / T_end)^3, the `exponential_3` of RigL's code, called inverse power in its paper.
  Exponential,
  /// alpha x learning rate / first learning rate.
  LearningRate
};

/// When connections move, and which share of them.
struct RewireSchedule {
  /// Steps between two rewirings; 0 means after every epoch but the last.
  int64_t every = 0;
  /// T_end as a share of all steps, 0..1.
  double until = 1;
  /// alpha, 0..1.
  double fraction = 0.3;
  FractionSchedule kind = FractionSchedule::Constant;
  /// Of Cosine, 0..alpha: where it ends.
  double minimum = 0;
};

/// Length of a run in steps.
struct RunLength {
  int64_t stepsPerEpoch = 0;
  int64_t epochs = 0;
  int64_t steps() const { return stepsPerEpoch * epochs; }
};

/// Steps from one rewiring to the next.
int64_t intervalOf(const RewireSchedule& schedule, const RunLength& run);

/// Whether connections move in step t, the first step of training being t = 1: t is a multiple of the
/// interval (of the epoch where every is 0) and t < T_end, so that the last step never moves anything.
bool rewiresAt(const RewireSchedule& schedule, const RunLength& run, int64_t step);

/// The share that moves in step t, 0..1. learningRate and firstLearningRate matter to LearningRate alone; the
/// share never exceeds alpha.
double rewireFraction(const RewireSchedule& schedule, const RunLength& run, int64_t step, double learningRate,
                      double firstLearningRate);

}  // namespace espalier
