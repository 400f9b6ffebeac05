#pragma once

namespace espalier {

enum class OptimizerKind { Sgd, Adam, AdamW };

/// How gradients move weights. SGD: velocity = momentum x velocity + gradient, weight -= rate x velocity, as
/// in PyTorch; Nesterov looks one step ahead. Adam: Kingma and Ba (2015). AdamW: Loshchilov and Hutter
/// (2019). Weight decay adds to the gradient, but in AdamW shrinks the weight itself; biases and
/// normalisation are never decayed.
struct Optimizer {
  OptimizerKind kind = OptimizerKind::Sgd;
  double learningRate = 0.1;
  double weightDecay = 0;
  double momentum = 0;
  bool nesterov = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;

  bool hasFirst() const { return kind != OptimizerKind::Sgd || momentum != 0; }
  bool hasSecond() const { return kind != OptimizerKind::Sgd; }
  bool operator==(const Optimizer&) const = default;
};

}  // namespace espalier
