#include <algorithm>

#include "device/cpu/linear_layer.h"

namespace espalier::cpu {
namespace {

/// Gradients that go to the optimizer at once, so that they never leave the first cache.
constexpr int64_t kGradientsAtOnce = 2048;
/// Rows of an input gradient that are finished while they are in the first cache.
constexpr int64_t kRowsAtOnce = 16;

class SparseLayer final : public LinearLayer {
 public:
  explicit SparseLayer(const LayerSetting& setting) : LinearLayer(setting), division_(setting.division) {
    patternChanged();
  }

  void patternChanged() override {
    const Pattern& pattern = state_.pattern;
    const int64_t size = pattern.block().size();
    const auto threads = static_cast<int>(scratch_.size());
    forwardShares_ = RowShares(pattern.rowOffsets(), size, division_.rowParts);
    transposeShares_ = RowShares(pattern.columnOffsets(), size, division_.rowParts);
    gradientShares_ = RowShares(pattern.rowOffsets(), size, threads);
    if (outputGradient_.empty()) return;
    int64_t longest = 0;
    for (int64_t row = 0; row < pattern.grid().blockRows(); ++row) {
      longest = std::max(longest, (pattern.rowOffsets()[row + 1] - pattern.rowOffsets()[row]) * size);
    }
    for (auto& scratch : scratch_) {
      if (scratch.size() < longest + kGradientsAtOnce + kPanelUnit) {
        scratch = AlignedBuffer<float>(longest + kGradientsAtOnce + kPanelUnit);
      }
    }
  }

 protected:
  Range forwardShare(const Pass& pass) const override { return forwardShares_.of(pass.rowPart()); }
  int64_t rowsPerUnit() const override { return state_.pattern.block().rows; }

  void multiply(const Pass& pass, const float* input, float* output, Range units) const override {
    pass.kernels.spmm(forwardView(state_.pattern, weights()), input, output, pass.stride, units,
                      pass.samples());
  }

  void multiplyTransposed(const Pass& pass, const float* outputGradient, CpuLayer& below) const override {
    const Pattern& pattern = state_.pattern;
    float* const inputGradient = below.outputGradient(pass.panel);
    const Range samples = pass.samples();
    // Scattering needs a thread's samples to itself; then it is the faster way for blocks one input wide.
    if (pattern.block() == BlockShape{4, 1} && division_.rowParts == 1) {
      for (int64_t row = 0; row < state_.inputs; ++row) {
        std::fill(inputGradient + row * pass.stride + samples.begin,
                  inputGradient + row * pass.stride + samples.end, 0.0f);
      }
      pass.kernels.spmmScatter(forwardView(pattern, weights()), outputGradient, inputGradient, pass.stride,
                               {0, pattern.grid().blockRows()}, samples);
      below.finishGradientRows(pass, {0, state_.inputs}, samples);
      return;
    }
    const MatrixView view = transposeView(pattern, weights());
    const int64_t width = pattern.block().columns;
    const int64_t unitsAtOnce = std::max<int64_t>(1, kRowsAtOnce / width);
    const Range share = transposeShares_.of(pass.rowPart());
    for (int64_t unit = share.begin; unit < share.end; unit += unitsAtOnce) {
      const Range units{unit, std::min(unit + unitsAtOnce, share.end)};
      pass.kernels.spmm(view, outputGradient, inputGradient, pass.stride, units, samples);
      below.finishGradientRows(pass, {units.begin * width, units.end * width}, samples);
    }
  }

  void settleWeights(const Pass& pass, const float* input) override {
    const Pattern& pattern = state_.pattern;
    const auto& offsets = pattern.rowOffsets();
    const MatrixView view = forwardView(pattern, weights());
    const int64_t size = pattern.block().size();
    float* const gradient = scratch_[static_cast<size_t>(pass.thread)].data();
    const Range share = gradientShares_.of(pass.thread);
    for (int64_t row = share.begin; row < share.end;) {
      int64_t end = row + 1;
      while (end < share.end && (offsets[end] - offsets[row]) * size < kGradientsAtOnce) ++end;
      pass.kernels.sddmm(view, outputGradient_[pass.panel], input, pass.stride, {row, end}, gradient);
      weightSum_.settle(pass.kernels, *pass.update, state_.weight, offsets[row] * size,
                        (offsets[end] - offsets[row]) * size, gradient, pass.place);
      row = end;
    }
  }

 private:
  const float* weights() const { return state_.weight.values.data(); }

  const Division division_;
  RowShares forwardShares_;
  RowShares transposeShares_;
  RowShares gradientShares_;
};

}  // namespace

std::unique_ptr<CpuLayer> makeSparseLayer(const LayerSetting& setting) {
  return std::make_unique<SparseLayer>(setting);
}

}  // namespace espalier::cpu
