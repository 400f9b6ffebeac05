#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
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
  /// Whether they are there for one call only, so that a device keeps nothing of them.
  bool passing = false;
};

/// Consecutive places in the order of an epoch.
struct Batch {
  int64_t first = 0;
  int64_t count = 0;
  /// Maps a place to a sample; null where samples come as they lie.
  const Feistel* order = nullptr;

  int64_t sample(int64_t i) const {
    const int64_t place = first + i;
    return order == nullptr ? place : static_cast<int64_t>((*order)(static_cast<uint64_t>(place)));
  }
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
  /// Number of this training step, from 1; keys dropout and DropConnect.
  int64_t step = 1;
  /// False on a step whose batch only shows a rewiring where to grow.
  bool moveWeights = true;
};

/// Bytes that a device holds beside the network's state.
struct DeviceBytes {
  int64_t gradients = 0;
  int64_t workspace = 0;
};

/// How far products may round their operands; sums and stored weights are float32 always. A device that has
/// no faster way to a lower precision takes the next higher one.
enum class Precision { Float32, Tf32, Bfloat16 };

/// One way to carry out a product that was timed against others.
struct ProductCandidate {
  std::string name;
  double microseconds = 0;
};

/// How a device carries out one product of one layer.
struct ProductPlan {
  int64_t layer = 0;
  /// "forward", "inputGradient" or "weightGradient".
  std::string product;
  std::string chosen;
  /// What was timed, in the order of trial; empty where nothing was to choose from.
  std::vector<ProductCandidate> candidates;
};

/// What a device is made for.
struct DeviceSettings {
  /// On the processor.
  int threads = 1;
  /// The largest step() to come, or 0 for none.
  int64_t batchSize = 0;
  /// Whether rewirings by gradient, or readGradient(), are to come.
  bool growsByGradient = false;
  Precision precision = Precision::Float32;
  /// Lets a device multiply a sparse layer as a dense copy where that is faster.
  bool denseFallback = false;
};

/// What carries out the deeds of training on one network. How a step is cut into panels or launches is its
/// own affair.
class Device {
 public:
  virtual ~Device() = default;

  /// Forward, loss and backward on a batch, and the optimizer's step. May return before it is done: the
  /// outcome comes with a later call of finished(). The samples must stay as they are until then; passing
  /// ones until it returns.
  virtual void step(const Samples& samples, const Batch& batch, const StepSettings& settings) = 0;

  /// The outcomes, in order, of steps that are done and were not told of before. With `all`, waits for every
  /// step.
  virtual std::vector<Outcome> finished(bool all) = 0;

  /// Moves the connections of every sparse layer. Growing by gradient looks at the batch of
  /// the last step().
  virtual std::vector<LayerMoves> rewire(const RewirePlan& plan) = 0;

  /// Rows firstRow to firstRow + rows - 1 of the gradient that the last step()'s batch gave a sparse or dense
  /// layer, as if every weight existed: rows x inputs, row-major, of the mean loss, weight decay left out;
  /// products in float32. On a device made with growsByGradient, before anything moves the connections.
  virtual void readGradient(size_t layer, int64_t firstRow, int64_t rows, std::span<float> gradient) = 0;

  /// Loss and right answers over all samples; none where stops(), asked every few of them, says so.
  virtual std::optional<Outcome> evaluateUnless(const std::function<bool()>& stops,
                                                const Samples& samples) = 0;
  Outcome evaluate(const Samples& samples) {
    return *evaluateUnless([] { return false; }, samples);
  }

  /// Writes count x outputs: probabilities for the two cross-entropies, plain outputs for squared error.
  virtual void predict(const Samples& samples, std::span<float> outputs) = 0;

  /// Brings the host's state up to date.
  virtual void synchronize() = 0;

  virtual DeviceBytes bytes() const = 0;

  /// How products are carried out; empty on a device that has one way only.
  virtual std::vector<ProductPlan> plan() const = 0;
};

/// Checks what readGradient() is asked for; Error(Internal).
inline void checkGradientRows(const NetworkState& network, size_t layer, int64_t firstRow, int64_t rows,
                              std::span<const float> gradient) {
  require(layer < network.layers.size() && !network.layers[layer].weight.empty(), ErrorCode::Internal,
          "a layer without weights has no gradient");
  const LayerState& state = network.layers[layer];
  require(firstRow >= 0 && rows >= 0 && firstRow + rows <= state.outputs &&
              static_cast<int64_t>(gradient.size()) == checkedProduct(rows, state.inputs),
          ErrorCode::Internal, "rows of a gradient that do not fit the layer");
}

/// A device on the processor, working on the host's state itself.
std::unique_ptr<Device> makeCpuDevice(NetworkState& network, const DeviceSettings& settings);

}  // namespace espalier
