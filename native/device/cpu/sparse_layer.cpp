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
  explicit SparseLayer(const LayerSetting& setting) : LinearLayer(setting) { patternChanged(); }

  void patternChanged() override {
    const Pattern& pattern = state_.pattern;
    const int64_t size = pattern.block().size();
    const auto threads = static_cast<int>(scratch_.size());
    rowShares_ = RowShares(pattern.rowOffsets(), size, threads);
    columnShares_ = RowShares(pattern.columnOffsets(), size, threads);
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
  Range forwardShare(const Pass& pass) const override { return rowShares_.of(pass.thread); }
  int64_t rowsPerUnit() const override { return state_.pattern.block().rows; }

  void multiply(const Pass& pass, const float* input, float* output, Range units) const override {
    pass.kernels.spmm(forwardView(state_.pattern, weights()), input, output, pass.stride, units);
  }

  void multiplyTransposed(const Pass& pass, const float* outputGradient, CpuLayer& below) const override {
    const Pattern& pattern = state_.pattern;
    float* const inputGradient = below.outputGradient(pass.panel);
    const Range share = columnShares_.of(pass.thread);
    if (pattern.block() == BlockShape{4, 1}) {
      std::fill(inputGradient + share.begin * pass.stride, inputGradient + share.end * pass.stride, 0.0f);
      pass.kernels.spmmScatter(forwardView(pattern, weights()), outputGradient, inputGradient, pass.stride,
                               pattern.grid().blockRows(), share);
      below.finishGradientRows(pass, share, pass.samples());
      return;
    }
    const MatrixView view = transposeView(pattern, weights());
    const int64_t width = pattern.block().columns;
    const int64_t unitsAtOnce = std::max<int64_t>(1, kRowsAtOnce / width);
    for (int64_t unit = share.begin; unit < share.end; unit += unitsAtOnce) {
      const Range units{unit, std::min(unit + unitsAtOnce, share.end)};
      pass.kernels.spmm(view, outputGradient, inputGradient, pass.stride, units);
      below.finishGradientRows(pass, {units.begin * width, units.end * width}, pass.samples());
    }
  }

  void settleWeights(const Pass& pass, const float* input) override {
    const Pattern& pattern = state_.pattern;
    const auto& offsets = pattern.rowOffsets();
    const MatrixView view = forwardView(pattern, weights());
    const int64_t size = pattern.block().size();
    float* const gradient = scratch_[static_cast<size_t>(pass.thread)].data();
    const Range share = rowShares_.of(pass.thread);
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

  RowShares rowShares_;
  RowShares columnShares_;
};

}  // namespace

std::unique_ptr<CpuLayer> makeSparseLayer(const LayerSetting& setting) {
  return std::make_unique<SparseLayer>(setting);
}

}  // namespace espalier::cpu
