#pragma once

#include "device/cuda/kernels/neurons.h"
#include "device/cuda/layers/cuda_layer.h"

namespace espalier::cuda {

/// What sparse and dense layers share: bias, activation, and the order of a pass. The products are the
/// subclass's.
class LinearLayer : public CudaLayer {
 public:
  explicit LinearLayer(const LayerSetting& setting);

  void forward() override;
  void backward() override;
  void download(LayerState& state) const override;

 protected:
  /// Queues the sums of weights and inputs into sums().
  virtual void multiply() = 0;
  /// What the products multiply: the weights, or what DropConnect leaves of them.
  const float* multiplied() const { return left_.empty() ? weight_.values.data() : left_.data(); }
  /// Queues what forward() begins with: the making of multiplied().
  void dropWeights();
  /// Turns the gradient of multiplied() into that of the weights; nothing to do without DropConnect.
  void maskGradient(float* gradient) const;
  bool drops() const { return !left_.empty(); }
  /// Queues the gradient of the input.
  virtual void multiplyTransposed() = 0;
  /// Queues the gradient of the weights and their step.
  virtual void settleWeights() = 0;

  float* sums();
  /// Queues what follows the product in forward().
  void activateSums();

  DeviceParameter weight_;

 private:
  /// With DropConnect, while training: what is left of the weights.
  DeviceBuffer<float> left_;
  DeviceParameter bias_;
  DeviceParameter srelu_;
  const NeuronFunction function_;
  /// Where the activation's derivative needs its input.
  DeviceBuffer<float> preactivation_;
};

}  // namespace espalier::cuda
