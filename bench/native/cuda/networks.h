#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "device/device.h"
#include "model/state.h"
#include "options.h"
#include "timing.h"

namespace espalier::cuda::bench {

/// Inputs, hidden layers, outputs. Hidden layers are ReLU and sparse, or dense where the sparsity is 0; the
/// last layer is dense.
struct NetworkShape {
  std::vector<int64_t> sizes;
  OptimizerKind optimizer = OptimizerKind::Adam;

  std::string name() const;
  const char* optimizerName() const { return optimizer == OptimizerKind::Adam ? "Adam" : "momentum"; }
  float learningRate() const { return optimizer == OptimizerKind::Adam ? 1e-4f : 1e-2f; }
};

/// Ready to train. Devices leave it as it is unless they synchronize, so that several may start from it.
NetworkState makeState(const NetworkShape& shape, double sparsity, int32_t block);

/// The same numbers with every sparse layer as a dense one whose other weights are 0; patterns are left out.
NetworkState densified(const NetworkState& network);

/// Random samples in host memory.
class RandomSamples {
 public:
  RandomSamples(const NetworkShape& shape, int32_t batch);
  Samples samples() const;
  /// Batches in an order that changes from epoch to epoch, as in training. step: from 1.
  Batch batch(int64_t step, int32_t size) const;
  /// On the card.
  int64_t bytes() const;

 private:
  std::vector<float> values_;
  std::vector<int32_t> labels_;
  int64_t features_ = 0;
  Feistel order_;
};

/// Something that trains: queues one step, waits for all of them and gives the mean loss of the last.
struct Trainer {
  std::function<void(const StepSettings&, const Batch&)> step;
  std::function<double()> finish;
};

/// Steps back to back, as training runs them: the host's clock over groups of steps, each waited for at its
/// end. Numbers of steps begin at `first`, and end before the number that is left there.
Timing timeSteps(const Trainer& trainer, const RandomSamples& samples, const NetworkShape& shape,
                 int32_t batch, Scale scale, int64_t& first);

/// Queues step `number`.
void queueStep(const Trainer& trainer, const RandomSamples& samples, const NetworkShape& shape, int32_t batch,
               int64_t number, bool moveWeights = true);

}  // namespace espalier::cuda::bench
