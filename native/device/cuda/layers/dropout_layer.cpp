#include "device/cuda/kernels/samples.h"
#include "device/cuda/layers/cuda_layer.h"

namespace espalier::cuda {
namespace {

class DropoutLayer final : public CudaLayer {
 public:
  using CudaLayer::CudaLayer;

  void forward() override { drop(setting_.input.values, output_.out()); }
  void backward() override {
    if (setting_.inputGradient != nullptr) drop(outputGradient().values, {setting_.inputGradient, nullptr});
  }

 private:
  void drop(const float* input, FeaturesOut output) const {
    dropout(context(), setting_.description.rate, setting_.seed, static_cast<uint32_t>(setting_.index), input,
            output, static_cast<int32_t>(setting_.state.outputs), setting_.stride, setting_.step);
  }
};

}  // namespace

std::unique_ptr<CudaLayer> makeDropoutLayer(const LayerSetting& setting) {
  return std::make_unique<DropoutLayer>(setting);
}

}  // namespace espalier::cuda
