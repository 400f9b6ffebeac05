#include <algorithm>

#include "device/cpu/dense_products_layer.h"

namespace espalier::cpu {
namespace {

/// Rows of a product that are finished while they are in the first cache.
constexpr int64_t kRowsAtOnce = 16;

class DenseLayer final : public DenseProductsLayer {
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

}  // namespace

void DenseProductsLayer::multiply(const Pass& pass, const float* input, float* sums) {
  const Range share = pass.team.share(state_.outputs);
  for (int64_t row = share.begin; row < share.end; row += kRowsAtOnce) {
    const Range rows{row, std::min(row + kRowsAtOnce, share.end)};
    pass.kernels.gemm(matrix(pass), state_.inputs, input, sums, pass.stride, rows);
    finishRows(pass, rows);
  }
}

void DenseProductsLayer::multiplyTransposed(const Pass& pass, const float*, CpuLayer& below) {
  const Range share = pass.team.share(state_.inputs);
  for (int64_t row = share.begin; row < share.end; row += kRowsAtOnce) {
    const Range rows{row, std::min(row + kRowsAtOnce, share.end)};
    pass.kernels.gemmTransposed(matrix(pass), state_.outputs, state_.inputs, outputGradient_[pass.panel],
                                below.outputGradient(pass.panel), pass.stride, rows);
    below.finishGradientRows(pass, rows, pass.samples());
  }
}

std::unique_ptr<CpuLayer> makeDenseLayer(const LayerSetting& setting) {
  return std::make_unique<DenseLayer>(setting);
}

}  // namespace espalier::cpu
