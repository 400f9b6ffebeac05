#pragma once

#include <cstdint>

#include "device/devices.h"
#include "model/optimizer.h"
#include "rewire/plan.h"
#include "rewire/schedule.h"
#include "train/learning_rate.h"

namespace espalier {

/// Where and how precisely a network computes. Not a part of what it is: a snapshot knows nothing of it.
struct Placement {
  DeviceKind device = DeviceKind::Auto;
  Precision precision = Precision::Float32;
  /// See DeviceSettings.
  bool denseFallback = false;
};

enum class RewireRule { Static, Set, Rigl };

/// How connections move while training: SET (Mocanu et al., 2018) or RigL (Evci et al., 2020).
struct RewireSettings {
  RewireRule rule = RewireRule::Static;
  RewireSchedule schedule;
  DropRule drop = DropRule::Magnitude;
  Initialization initialization{InitializationKind::Zeros, 0};
  /// No optimizer step on a rewiring step.
  bool skipUpdate = true;
};

struct FitSettings {
  int64_t epochs = 10;
  int64_t batchSize = 128;
  Optimizer optimizer;
  LearningRateSchedule learningRate;
  RewireSettings rewire;
  /// Samples are drawn in a new order each epoch, keyed by (seed, epoch).
  bool shuffle = true;
  int threads = 1;
  /// Go on from the network's progress instead of starting afresh.
  bool resume = false;
};

}  // namespace espalier
