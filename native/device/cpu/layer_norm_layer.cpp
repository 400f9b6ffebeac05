#include <algorithm>

#include "device/cpu/linear_layer.h"

namespace espalier::cpu {
namespace {

/// Layer normalisation with trained gain and shift. Statistics are per sample, so threads divide the samples.
class LayerNormLayer final : public CpuLayer {
 public:
  explicit LayerNormLayer(const LayerSetting& setting)
      : state_(setting.state),
        epsilon_(setting.description.epsilon),
        stride_(setting.stride),
        mean_(setting.stride * setting.panels),
        inverseDeviation_(setting.stride * setting.panels),
        gainSum_(setting.state.outputs, setting.training && setting.severalPanels),
        shiftSum_(setting.state.outputs, setting.training && setting.severalPanels) {
    output_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
    if (!setting.training) return;
    outputGradient_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
    gainGradient_ = AlignedBuffer<float>(state_.outputs);
    shiftGradient_ = AlignedBuffer<float>(state_.outputs);
  }

  void forward(const Pass& pass, const float* input) override {
    const Range samples = ownSamples(pass);
    pass.kernels.layerNorm(input, output_[pass.panel], pass.stride, state_.outputs, samples, gain(),
                           state_.shift.values.data(), epsilon_, mean(pass), inverse(pass));
    pass.pool.barrier();
  }

  void backward(const Pass& pass, const float* input, CpuLayer* below) override {
    const Range rows = evenShare(state_.outputs, pass.thread, pass.pool.threads());
    const Range samples = ownSamples(pass);
    float* const gradient = outputGradient_[pass.panel];
    pass.kernels.layerNormGradient(input, gradient, pass.stride, rows, mean(pass), inverse(pass),
                                   gainGradient_.data(), shiftGradient_.data());
    pass.pool.barrier();
    if (below != nullptr) {
      float* const target = below->outputGradient(pass.panel);
      for (int64_t row = 0; row < state_.outputs; ++row) {
        std::copy(gradient + row * pass.stride + samples.begin, gradient + row * pass.stride + samples.end,
                  target + row * pass.stride + samples.begin);
      }
      pass.kernels.layerNormBackward(input, target, pass.stride, state_.outputs, samples, gain(), mean(pass),
                                     inverse(pass));
      below->finishGradientRows(pass, {0, state_.outputs}, samples);
      pass.pool.barrier();
    }
    if (pass.update == nullptr) return;
    const UpdateArguments update = UpdateTable::withoutDecay(*pass.update);
    gainSum_.settle(pass.kernels, update, state_.gain, rows.begin, rows.size(),
                    gainGradient_.data() + rows.begin, pass.place);
    shiftSum_.settle(pass.kernels, update, state_.shift, rows.begin, rows.size(),
                     shiftGradient_.data() + rows.begin, pass.place);
  }

  int64_t gradientBytes() const override {
    return gainSum_.bytes() + shiftSum_.bytes() + gainGradient_.bytes() + shiftGradient_.bytes();
  }

 private:
  static Range ownSamples(const Pass& pass) {
    return evenShare(pass.stride, pass.thread, pass.pool.threads(), kPanelUnit);
  }
  const float* gain() const { return state_.gain.values.data(); }
  float* mean(const Pass& pass) { return mean_.data() + pass.panel * stride_; }
  float* inverse(const Pass& pass) { return inverseDeviation_.data() + pass.panel * stride_; }

  LayerState& state_;
  const float epsilon_;
  const int64_t stride_;
  AlignedBuffer<float> mean_;
  AlignedBuffer<float> inverseDeviation_;
  AlignedBuffer<float> gainGradient_;
  AlignedBuffer<float> shiftGradient_;
  GradientSum gainSum_;
  GradientSum shiftSum_;
};

}  // namespace

std::unique_ptr<CpuLayer> makeLayerNormLayer(const LayerSetting& setting) {
  return std::make_unique<LayerNormLayer>(setting);
}

}  // namespace espalier::cpu
