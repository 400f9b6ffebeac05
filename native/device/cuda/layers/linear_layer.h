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
  /// Queues the gradient of the input.
  virtual void multiplyTransposed() = 0;
  /// Queues the gradient of the weights and their step.
  virtual void settleWeights() = 0;

  float* sums();
  /// Queues what follows the product in forward().
  void activateSums();

  DeviceParameter weight_;

 private:
  DeviceParameter bias_;
  DeviceParameter srelu_;
  const NeuronFunction function_;
  /// Where the activation's derivative needs its input.
  DeviceBuffer<float> preactivation_;
};

}  // namespace espalier::cuda
