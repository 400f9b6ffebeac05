#include "device/cuda/layers/linear_layer.h"

#include "device/cuda/kernels/drop_connect.h"

namespace espalier::cuda {
namespace {

NeuronFunction functionOf(const LayerSetting& setting, const DeviceParameter& srelu) {
  const LayerDescription& description = setting.description;
  const bool even = setting.hiddenNumber % 2 == 0;
  const bool flipped = description.activation == Activation::AllRelu && even;
  return {description.activation, flipped ? -description.alpha : description.alpha, srelu.values.data(),
          static_cast<int32_t>(setting.state.outputs)};
}

}  // namespace

LinearLayer::LinearLayer(const LayerSetting& setting)
    : CudaLayer(setting),
      weight_(upload(context(), setting.state.weight)),
      left_(context().memory,
            setting.training && setting.description.dropConnect > 0 ? weight_.values.size() : 0),
      bias_(upload(context(), setting.state.bias)),
      srelu_(upload(context(), setting.state.srelu)),
      function_(functionOf(setting, srelu_)) {
  if (!setting.training || derivativeFromOutput(function_)) return;
  preactivation_ =
      DeviceBuffer<float>(context().memory, checkedProduct(setting.paddedOutputs, setting.stride));
  preactivation_.clear();
}

float* LinearLayer::sums() {
  return preactivation_.empty() ? output_.out().values : preactivation_.data();
}

void LinearLayer::activateSums() {
  activate(context(), function_, bias_.values.data(), sums(), output_.out(), setting_.stride);
}

void LinearLayer::dropWeights() {
  if (!drops()) return;
  dropConnect(context(), setting_.description.dropConnect, setting_.seed,
              static_cast<uint32_t>(setting_.index), weight_.values.data(), left_.data(), left_.size(),
              setting_.step);
}

void LinearLayer::maskGradient(float* gradient) const {
  if (!drops()) return;
  dropConnect(context(), setting_.description.dropConnect, setting_.seed,
              static_cast<uint32_t>(setting_.index), gradient, gradient, left_.size(), setting_.step);
}

void LinearLayer::forward() {
  dropWeights();
  multiply();
  activateSums();
}

void LinearLayer::backward() {
  activateBackward(context(), function_, sums(), outputGradient_.out(), setting_.stride, setting_.rule,
                   targetOf(bias_), targetOf(srelu_), setting_.step);
  if (setting_.inputGradient != nullptr) multiplyTransposed();
  settleWeights();
}

void LinearLayer::download(LayerState& state) const {
  state.weight = CudaLayer::download(weight_);
  state.bias = CudaLayer::download(bias_);
  state.srelu = CudaLayer::download(srelu_);
}

}  // namespace espalier::cuda
