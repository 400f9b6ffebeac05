#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "device/devices.h"
#include "model/optimizer.h"
#include "rewire/host_rule.h"
#include "rewire/neurons.h"
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

enum class RewireRule { Static, Set, Rigl, Host };

/// How connections move while training: SET (Mocanu et al., 2018) and RigL (Evci et al., 2020) on the device,
/// every other rule on the host.
struct RewireSettings {
  RewireRule rule = RewireRule::Static;
  /// Of Host.
  std::shared_ptr<const HostRule> host;
  RewireSchedule schedule;
  DropRule drop = DropRule::Magnitude;
  Initialization initialization{InitializationKind::Zeros, 0};
  /// No optimizer step on a rewiring step.
  bool skipUpdate = true;
  /// With Static, Set and Rigl: whether hidden neurons are removed too.
  std::optional<NeuronPruning> neurons;
  /// Whether the share of positions that ever had a connection is followed.
  bool trackExploration = false;
};

/// When a run lays a copy of itself aside. 0: not by this.
struct CheckpointMoments {
  int64_t epochs = 0;
  int64_t steps = 0;
  double seconds = 0;
  /// After every epoch that is the best so far.
  bool best = false;
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
  /// What tells the best epoch; none: nothing does.
  std::optional<Watched> watched;
  /// By how much an epoch must be better to be the best.
  double minimumChange = 0;
  /// Epochs without a better one after which the run ends; 0: any number.
  int64_t patience = 0;
  /// Steps and seconds, pauses left out, after which this run ends; 0: none.
  int64_t maxSteps = 0;
  double maxSeconds = 0;
  CheckpointMoments checkpoints;
};

}  // namespace espalier
