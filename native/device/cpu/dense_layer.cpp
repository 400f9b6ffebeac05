#include <algorithm>

#include "device/cpu/dense_products_layer.h"

namespace espalier::cpu {
namespace {

/// Rows of a product that are finished while they are in the first cache.
constexpr int64_t kRowsAtOnce = 16;

/// Divided by outputs over threads.
class DenseLayer : public DenseProductsLayer {
 public:
  explicit DenseLayer(const LayerSetting& setting) : DenseProductsLayer(setting) {
    if (!setting.training) return;
    for (auto& scratch : scratch_) scratch = AlignedBuffer<float>(kTileRows * state_.inputs);
  }

 protected:
  const float* matrix(const Pass& pass) const override { return weights(pass); }

  void settleWeights(const Pass& pass, const float* input) override {
    float* const scratch = scratch_[static_cast<size_t>(pass.thread)].data();
    const Range share = pass.team.share(state_.outputs);
    for (int64_t row = share.begin; row < share.end; row += kTileRows) {
      const Range rows{row, std::min(row + kTileRows, share.end)};
      const int64_t first = row * state_.inputs;
      float* const gradient = weightSum_.at(pass.place, first, scratch);
      pass.kernels.gemmGradient(outputGradient_[pass.panel], input, state_.inputs, pass.stride, rows,
                                weightSum_.accumulates(pass.place), gradient);
      weightSum_.settle(pass.kernels, *pass.update, state_.weight, first, rows.size() * state_.inputs,
                        gradient, pass.place);
    }
  }
};

/// Divided by inputs, of which each thread has computed about as many itself: fetching all of them from the
/// others takes longer than few outputs take to compute. Sums are of parts of the inputs, as many on any
/// number of threads, so that they are the same bits.
class FewOutputsLayer final : public DenseLayer {
 public:
  static bool serves(const LayerState& state) {
    return state.outputs <= kMostOutputs && state.inputs >= kLeastInputs;
  }

  explicit FewOutputsLayer(const LayerSetting& setting)
      : DenseLayer(setting),
        partInputs_(roundUp(divideUp(state_.inputs, kParts), kPanelUnit)),
        parts_(divideUp(state_.inputs, partInputs_)),
        partSums_(state_.outputs, setting.stride, checkedProduct(parts_, setting.panelsAtOnce)) {}

  int64_t workspaceBytes() const override { return DenseLayer::workspaceBytes() + partSums_.bytes(); }

 protected:
  void multiply(const Pass& pass, const float* input, float* sums) override {
    const Range own = pass.team.share(parts_), rows{0, state_.outputs};
    for (int64_t part = own.begin; part < own.end; ++part) {
      const int64_t first = part * partInputs_, count = std::min(partInputs_, state_.inputs - first);
      pass.kernels.gemm(matrix(pass) + first, state_.inputs, count, input + first * pass.stride,
                        partSum(pass, part), pass.stride, rows);
    }
    pass.team.barrier();
    const Range samples = pass.team.share(pass.stride, kPanelUnit);
    for (int64_t row = 0; row < rows.end; ++row) addParts(pass, row * pass.stride, samples, sums);
    finishRows(pass, rows, samples);
  }

  void settleWeights(const Pass& pass, const float* input) override {
    float* const scratch = scratch_[static_cast<size_t>(pass.thread)].data();
    const Range share = pass.team.share(state_.inputs, kTileFeatures);
    for (int64_t row = 0; row < state_.outputs; row += kTileRows) {
      const Range rows{row, std::min(row + kTileRows, state_.outputs)};
      pass.kernels.gemmGradient(outputGradient_[pass.panel], input + share.begin * pass.stride, share.size(),
                                pass.stride, rows, false, scratch);
      for (int64_t i = 0; i < rows.size(); ++i) {
        weightSum_.take(pass.kernels, *pass.update, state_.weight, (row + i) * state_.inputs + share.begin,
                        share.size(), scratch + i * share.size(), pass.place);
      }
    }
  }

 private:
  /// As many outputs as a class label mostly takes, and inputs enough to be divided.
  static constexpr int64_t kMostOutputs = 16, kLeastInputs = 256;
  static constexpr int64_t kParts = 8;

  float* partSum(const Pass& pass, int64_t part) { return partSums_[pass.place.sum * parts_ + part]; }

  /// sums[place + samples] = those of all parts, in their order.
  void addParts(const Pass& pass, int64_t place, Range samples, float* sums) {
    std::copy_n(partSum(pass, 0) + place + samples.begin, samples.size(), sums + place + samples.begin);
    for (int64_t part = 1; part < parts_; ++part) {
      const float* const more = partSum(pass, part) + place;
      for (int64_t i = samples.begin; i < samples.end; ++i) sums[place + i] += more[i];
    }
  }

  const int64_t partInputs_;
  const int64_t parts_;
  Panels partSums_;
};

}  // namespace

void DenseProductsLayer::multiply(const Pass& pass, const float* input, float* sums) {
  const Range share = pass.team.share(state_.outputs);
  for (int64_t row = share.begin; row < share.end; row += kRowsAtOnce) {
    const Range rows{row, std::min(row + kRowsAtOnce, share.end)};
    pass.kernels.gemm(matrix(pass), state_.inputs, state_.inputs, input, sums, pass.stride, rows);
    finishRows(pass, rows, pass.samples());
  }
}

void DenseProductsLayer::multiplyTransposed(const Pass& pass, const float*, CpuLayer& below) {
  const Range share = pass.team.share(state_.inputs, kTileFeatures);
  for (int64_t row = share.begin; row < share.end; row += kRowsAtOnce) {
    const Range rows{row, std::min(row + kRowsAtOnce, share.end)};
    pass.kernels.gemmTransposed(matrix(pass) + row, state_.outputs, state_.inputs,
                                outputGradient_[pass.panel], below.gradientRows(pass, rows), pass.stride,
                                {0, rows.size()});
    below.finishGradientRows(pass, rows, pass.samples());
  }
}

std::unique_ptr<CpuLayer> makeDenseLayer(const LayerSetting& setting) {
  if (FewOutputsLayer::serves(setting.state)) return std::make_unique<FewOutputsLayer>(setting);
  return std::make_unique<DenseLayer>(setting);
}

}  // namespace espalier::cpu
