#include <algorithm>

#include "base/random.h"
#include "device/cpu/linear_layer.h"

namespace espalier::cpu {
namespace {

/// Inverted dropout (Srivastava et al., 2014): what stays is scaled up, so that nothing changes when not
/// training.
class DropoutLayer final : public CpuLayer {
 public:
  explicit DropoutLayer(const LayerSetting& setting)
      : features_(setting.state.outputs),
        rate_(setting.description.rate),
        layer_(static_cast<uint32_t>(setting.index)),
        seed_(setting.seed) {
    output_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
    if (setting.training) outputGradient_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
  }

  void forward(const Pass& pass, const float* input) override {
    const Range rows = ownRows(pass);
    copyRows(input, output_[pass.panel], rows, pass.stride);
    if (pass.training) drop(pass, output_[pass.panel], rows);
    pass.team.barrier();
  }

  void backward(const Pass& pass, const float*, CpuLayer* below) override {
    if (below == nullptr) return;
    const Range rows = ownRows(pass);
    float* const gradient = outputGradient_[pass.panel];
    drop(pass, gradient, rows);
    std::copy(gradient + rows.begin * pass.stride, gradient + rows.end * pass.stride,
              below->gradientRows(pass, rows));
    below->finishGradientRows(pass, rows, {0, pass.stride});
    pass.team.barrier();
  }

 private:
  Range ownRows(const Pass& pass) const { return pass.team.share(features_, kTileFeatures); }

  static void copyRows(const float* from, float* to, Range rows, int64_t stride) {
    std::copy(from + rows.begin * stride, from + rows.end * stride, to + rows.begin * stride);
  }

  void drop(const Pass& pass, float* panel, Range rows) const {
    const uint64_t seed = deriveSeed(seed_, RandomPurpose::Dropout, layer_, static_cast<uint64_t>(pass.step));
    pass.kernels.dropout(rate_, seed, pass.firstSample, panel, pass.stride, rows);
  }

  const int64_t features_;
  const float rate_;
  const uint32_t layer_;
  const uint64_t seed_;
};

}  // namespace

std::unique_ptr<CpuLayer> makeDropoutLayer(const LayerSetting& setting) {
  return std::make_unique<DropoutLayer>(setting);
}

}  // namespace espalier::cpu
