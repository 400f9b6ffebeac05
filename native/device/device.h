#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/state.h"
#include "rewire/plan.h"

namespace espalier {

/// Samples in host memory: rows x features, row-major, with a label or a row of targets each. Not owned.
struct Samples {
  int64_t count = 0;
  int64_t features = 0;
  const float* values = nullptr;
  /// Class of each sample, within the network's outputs; or null.
  const int32_t* labels = nullptr;
  /// count x outputs; or null.
  const float* targets = nullptr;
};

/// Sums over the samples of a call.
struct Outcome {
  double lossSum = 0;
  int64_t correct = 0;
};

struct StepSettings {
  float learningRate = 0;
  /// Number of this optimizer step, from 1.
  int64_t update = 1;
  /// Number of this training step, from 1; keys dropout.
  int64_t step = 1;
  /// False on a step whose batch only shows a rewiring where to grow.
  bool moveWeights = true;
};

/// Bytes that a device holds beside the network's state.
struct DeviceBytes {
  int64_t gradients = 0;
  int64_t workspace = 0;
};

/// What carries out the deeds of training on one network. How a step is cut into panels or launches is its
/// own affair.
class Device {
 public:
  virtual ~Device() = default;

  /// Forward, loss and backward on the samples with these indices, and the optimizer's step.
  virtual Outcome step(const Samples& samples, std::span<const int64_t> indices,
                       const StepSettings& settings) = 0;

  /// Moves the connections of every sparse layer. Growing by gradient looks at the batch of
  /// the last step().
  virtual std::vector<LayerMoves> rewire(const RewirePlan& plan) = 0;

  /// Loss and right answers over all samples.
  virtual Outcome evaluate(const Samples& samples) = 0;

  /// Writes count x outputs: probabilities for the two cross-entropies, plain outputs for squared error.
  virtual void predict(const Samples& samples, std::span<float> outputs) = 0;

  /// Brings the host's state up to date.
  virtual void synchronize() = 0;

  virtual DeviceBytes bytes() const = 0;
};

/// A device on the processor, working on the host's state itself. batchSize: the largest step() to come, or 0
/// for none; growsByGradient: whether rewirings by gradient are to come.
std::unique_ptr<Device> makeCpuDevice(NetworkState& network, int threads, int64_t batchSize,
                                      bool growsByGradient);

}  // namespace espalier
