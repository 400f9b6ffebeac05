#include "device/cuda/kernels/layer_norm.h"
#include "device/cuda/layers/cuda_layer.h"

namespace espalier::cuda {
namespace {

class LayerNormLayer final : public CudaLayer {
 public:
  explicit LayerNormLayer(const LayerSetting& setting)
      : CudaLayer(setting),
        gain_(upload(context(), setting.state.gain)),
        shift_(upload(context(), setting.state.shift)),
        mean_(context().memory, setting.stride),
        inverseDeviation_(context().memory, setting.stride) {}

  int64_t workspaceBytes() const override { return 2 * setting_.stride * int64_t{sizeof(float)}; }

  void forward() override {
    layerNorm(context(), setting_.input.values, output_.out(), features(), setting_.stride,
              gain_.values.data(), shift_.values.data(), setting_.description.epsilon, mean_.data(),
              inverseDeviation_.data());
  }

  void backward() override {
    layerNormBackward(context(), setting_.input.values, outputGradient().values,
                      {setting_.inputGradient, nullptr}, features(), setting_.stride, mean_.data(),
                      inverseDeviation_.data(), setting_.rule, targetOf(gain_), targetOf(shift_),
                      setting_.step, setting_.products.workspace.floats());
  }

  void download(LayerState& state) const override {
    state.gain = CudaLayer::download(gain_);
    state.shift = CudaLayer::download(shift_);
  }

 private:
  int32_t features() const { return static_cast<int32_t>(setting_.state.outputs); }

  DeviceParameter gain_;
  DeviceParameter shift_;
  DeviceBuffer<float> mean_;
  DeviceBuffer<float> inverseDeviation_;
};

}  // namespace

std::unique_ptr<CudaLayer> makeLayerNormLayer(const LayerSetting& setting) {
  return std::make_unique<LayerNormLayer>(setting);
}

}  // namespace espalier::cuda
