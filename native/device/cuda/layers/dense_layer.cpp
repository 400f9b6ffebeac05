#include "device/cuda/kernels/dense_copy.h"
#include "device/cuda/layers/linear_layer.h"

namespace espalier::cuda {
namespace {

class DenseLayer final : public LinearLayer {
 public:
  explicit DenseLayer(const LayerSetting& setting)
      : LinearLayer(setting),
        rounded_(context().memory,
                 setting.products.precision == Precision::Bfloat16 ? weight_.values.size() : 0) {}

  int64_t workspaceBytes() const override { return setting_.training ? weight_.values.bytes() : 0; }

 protected:
  void multiply() override {
    if (!rounded_.empty()) {
      roundToBfloat16(context(), multiplied(), rounded_.data(), rounded_.size());
    }
    blas().multiply(multiplied(), rounded_.data(), outputs(), inputs(), setting_.input, sums(),
                    setting_.stride, setting_.products.precision);
  }

  void multiplyTransposed() override {
    blas().multiplyTransposed(multiplied(), rounded_.data(), outputs(), inputs(), outputGradient(),
                              setting_.inputGradient, setting_.stride, setting_.products.precision);
  }

  void settleWeights() override {
    float* const gradient = setting_.products.workspace.floats();
    blas().gradient(outputGradient(), setting_.input, outputs(), inputs(), setting_.stride, gradient,
                    setting_.products.precision);
    maskGradient(gradient);
    updateWeights(context(), setting_.rule, targetOf(weight_), gradient, weight_.values.size(),
                  setting_.step);
  }

 private:
  Blas& blas() const { return setting_.products.blas; }
  int64_t outputs() const { return setting_.state.outputs; }
  int64_t inputs() const { return setting_.state.inputs; }

  DeviceBuffer<__nv_bfloat16> rounded_;
};

}  // namespace

std::unique_ptr<CudaLayer> makeDenseLayer(const LayerSetting& setting) {
  return std::make_unique<DenseLayer>(setting);
}

}  // namespace espalier::cuda
