#include "masked_layer.h"

#include "device/cuda/kernels/dense_copy.h"
#include "device/cuda/layers/linear_layer.h"
#include "device/cuda/pattern/device_pattern.h"
#include "kernels.h"

namespace espalier::cuda::bench {
namespace {

class MaskedLayer final : public LinearLayer {
 public:
  MaskedLayer(const LayerSetting& setting, const Pattern& pattern)
      : LinearLayer(setting),
        mask_(context().memory, weight_.values.size()),
        rounded_(context().memory,
                 setting.products.precision == Precision::Bfloat16 ? weight_.values.size() : 0) {
    const DevicePattern places(context(), pattern, 0, 0);
    mask_.clear();
    scatterMask(context(), places.forwardView(nullptr), mask_.data());
    if (!rounded_.empty()) {
      roundToBfloat16(context(), weight_.values.data(), rounded_.data(), rounded_.size());
    }
  }

  int64_t workspaceBytes() const override { return weight_.values.bytes(); }

 protected:
  // Weights are masked, and rounded, when they are updated: the products take them as they are.
  void multiply() override {
    blas().multiply(weight_.values.data(), rounded_.data(), outputs(), inputs(), setting_.input, sums(),
                    setting_.stride, setting_.products.precision);
  }

  void multiplyTransposed() override {
    blas().multiplyTransposed(weight_.values.data(), rounded_.data(), outputs(), inputs(), outputGradient(),
                              setting_.inputGradient, setting_.stride, setting_.products.precision);
  }

  void settleWeights() override {
    float* const gradient = setting_.products.workspace.floats();
    blas().gradient(outputGradient(), setting_.input, outputs(), inputs(), setting_.stride, gradient,
                    setting_.products.precision);
    maskedUpdate(context(), setting_.rule, targetOf(weight_), gradient, mask_.data(), rounded_.data(),
                 weight_.values.size(), setting_.step);
  }

 private:
  Blas& blas() const { return setting_.products.blas; }
  int64_t outputs() const { return setting_.state.outputs; }
  int64_t inputs() const { return setting_.state.inputs; }

  DeviceBuffer<uint8_t> mask_;
  DeviceBuffer<__nv_bfloat16> rounded_;
};

}  // namespace

std::unique_ptr<CudaLayer> makeMaskedLayer(const LayerSetting& setting, const Pattern& pattern) {
  return std::make_unique<MaskedLayer>(setting, pattern);
}

}  // namespace espalier::cuda::bench
