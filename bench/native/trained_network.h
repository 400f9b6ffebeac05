#pragma once

#include <memory>
#include <optional>

#include "device/device.h"
#include "shapes.h"

namespace espalier::bench {

/// Small, so that however long is measured nothing diverges and no neuron dies.
inline constexpr float kLearningRate = 0.001f;
inline constexpr float kMomentum = 0.9f;

/// A multi-layer perceptron in training: ReLU, softmax cross-entropy, SGD with momentum.
class TrainedNetwork {
 public:
  virtual ~TrainedNetwork() = default;

  /// One step. May return before it is done.
  virtual void step(const Samples& samples, const Batch& batch) = 0;

  /// Waits for every step; returns what they told since the last call.
  virtual Outcome finish() = 0;
};

/// Products by a library, everything else by the project's own vector kernels. With a mask: a mask of zeros
/// and ones, of this sparsity and drawn at random, is multiplied with the gradient and the new weights.
std::unique_ptr<TrainedNetwork> denseNetwork(const DenseSource& source, const NetworkShape& shape,
                                             std::optional<double> maskSparsity);

/// On the project's device; the last layer is dense.
std::unique_ptr<TrainedNetwork> sparseNetwork(const NetworkShape& shape, const SparseShape& sparse,
                                              Precision precision);

}  // namespace espalier::bench
