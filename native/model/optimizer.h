#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace espalier {

enum class OptimizerKind { Sgd, Adam, AdamW };

/// How gradients move weights. SGD: velocity = momentum x velocity + gradient, weight -= rate x velocity, as
/// in PyTorch; Nesterov looks one step ahead. Adam: Kingma and Ba (2015). AdamW: Loshchilov and Hutter
/// (2019). Weight decay adds to the gradient, but in AdamW shrinks the weight itself. L1 adds l1 x
/// sign(weight) to the gradient, 0 at 0 (the subgradient of l1 x |weight|), in all three. Biases and
/// normalisation know neither.
struct Optimizer {
  OptimizerKind kind = OptimizerKind::Sgd;
  double learningRate = 0.1;
  double weightDecay = 0;
  double l1 = 0;
  double momentum = 0;
  bool nesterov = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;

  bool hasFirst() const { return kind != OptimizerKind::Sgd || momentum != 0; }
  bool hasSecond() const { return kind != OptimizerKind::Sgd; }
  bool operator==(const Optimizer&) const = default;
};

/// Optimizer steps as devices count them, and how many were done when a connection began. Both stand still
/// near 2^31, one apart, long after every correction is 1.
inline int32_t countedUpdate(int64_t update) {
  return static_cast<int32_t>(std::min<int64_t>(update, std::numeric_limits<int32_t>::max()));
}
inline int32_t birthAfter(int64_t updates) {
  return static_cast<int32_t>(std::min<int64_t>(updates, std::numeric_limits<int32_t>::max() - 1));
}

/// Adam's 1 / (1 - beta1^t) and 1 / (1 - beta2^t) for t = 1, 2, ... up to where both are 1 in float32; the
/// last one holds beyond. Empty for SGD.
struct BiasCorrections {
  std::vector<float> first;
  std::vector<float> second;
};
BiasCorrections biasCorrections(const Optimizer& optimizer);

}  // namespace espalier
