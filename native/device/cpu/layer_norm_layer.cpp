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
        gainSum_(setting.state.outputs, setting.gradientSums),
        shiftSum_(setting.state.outputs, setting.gradientSums) {
    output_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
    if (!setting.training) return;
    outputGradient_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
    for (int thread = 0; thread < setting.threads; ++thread) gradients_.emplace_back(2 * state_.outputs);
  }

  void forward(const Pass& pass, const float* input) override {
    const Range samples = ownSamples(pass);
    pass.kernels.layerNorm(input, output_[pass.panel], pass.stride, state_.outputs, samples, gain(),
                           state_.shift.values.data(), epsilon_, mean(pass), inverse(pass));
    pass.team.barrier();
  }

  void backward(const Pass& pass, const float* input, CpuLayer* below) override {
    const Range rows = pass.team.share(state_.outputs);
    const Range samples = ownSamples(pass);
    float* const gradient = outputGradient_[pass.panel];
    float* const gainGradient = gradients_[static_cast<size_t>(pass.thread)].data();
    float* const shiftGradient = gainGradient + state_.outputs;
    pass.kernels.layerNormGradient(input, gradient, pass.stride, rows, mean(pass), inverse(pass),
                                   gainGradient, shiftGradient);
    pass.team.barrier();
    if (below != nullptr) {
      float* const target = below->outputGradient(pass.panel);
      for (int64_t row = 0; row < state_.outputs; ++row) {
        std::copy(gradient + row * pass.stride + samples.begin, gradient + row * pass.stride + samples.end,
                  target + row * pass.stride + samples.begin);
      }
      pass.kernels.layerNormBackward(input, target, pass.stride, state_.outputs, samples, gain(), mean(pass),
                                     inverse(pass));
      below->finishGradientRows(pass, {0, state_.outputs}, samples);
      pass.team.barrier();
    }
    if (pass.update == nullptr) return;
    const UpdateArguments update = UpdateTable::withoutDecay(*pass.update);
    gainSum_.take(pass.kernels, update, state_.gain, rows.begin, rows.size(), gainGradient + rows.begin,
                  pass.place);
    shiftSum_.take(pass.kernels, update, state_.shift, rows.begin, rows.size(), shiftGradient + rows.begin,
                   pass.place);
  }

  void combine(const Pass& pass, int64_t panels) override {
    const UpdateArguments update = UpdateTable::withoutDecay(*pass.update);
    gainSum_.combine(pass.kernels, update, state_.gain, pass.team, panels, pass.place.last);
    shiftSum_.combine(pass.kernels, update, state_.shift, pass.team, panels, pass.place.last);
  }

  int64_t gradientBytes() const override {
    int64_t bytes = gainSum_.bytes() + shiftSum_.bytes();
    for (const auto& each : gradients_) bytes += each.bytes();
    return bytes;
  }

 private:
  static Range ownSamples(const Pass& pass) { return pass.team.share(pass.stride, kPanelUnit); }
  const float* gain() const { return state_.gain.values.data(); }
  float* mean(const Pass& pass) { return mean_.data() + pass.panel * stride_; }
  float* inverse(const Pass& pass) { return inverseDeviation_.data() + pass.panel * stride_; }

  LayerState& state_;
  const float epsilon_;
  const int64_t stride_;
  AlignedBuffer<float> mean_;
  AlignedBuffer<float> inverseDeviation_;
  /// Of gain and shift, one per thread.
  std::vector<AlignedBuffer<float>> gradients_;
  GradientSum gainSum_;
  GradientSum shiftSum_;
};

}  // namespace

std::unique_ptr<CpuLayer> makeLayerNormLayer(const LayerSetting& setting) {
  return std::make_unique<LayerNormLayer>(setting);
}

}  // namespace espalier::cpu
