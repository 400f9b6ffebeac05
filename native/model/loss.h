#pragma once

namespace espalier {

/// The loss of a sample; a batch's loss is the mean over its samples.
enum class Loss {
  /// -log softmax(outputs)[label].
  SoftmaxCrossEntropy,
  /// Mean over the outputs of the cross-entropy of sigmoid(output) with a target in 0..1.
  BinaryCrossEntropy,
  /// Mean over the outputs of (output - target)^2.
  SquaredError
};

}  // namespace espalier
