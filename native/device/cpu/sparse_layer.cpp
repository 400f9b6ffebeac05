#include "device/cpu/linear_layer.h"
#include "device/cpu/sparse_products.h"

namespace espalier::cpu {
namespace {

class SparseLayer final : public LinearLayer {
 public:
  explicit SparseLayer(const LayerSetting& setting) : LinearLayer(setting), stride_(setting.stride) {
    patternChanged();
  }

  void patternChanged() override {
    products_ = SparseProducts(state_.pattern, stride_, static_cast<int>(scratch_.size()));
    if (outputGradient_.empty()) return;
    for (auto& scratch : scratch_) {
      if (scratch.size() < products_.gradientScratch()) {
        scratch = AlignedBuffer<float>(products_.gradientScratch());
      }
    }
  }

  int64_t workspaceBytes() const override { return LinearLayer::workspaceBytes() + products_.bytes(); }

 protected:
  void multiply(const Pass& pass, const float* input, float* sums) override {
    const int64_t height = state_.pattern.block().rows;
    products_.multiply(pass.kernels, weights(), input, sums, products_.rows(pass.thread), [&](Range rows) {
      finishRows(pass, {rows.begin * height, rows.end * height});
    });
  }

  void multiplyTransposed(const Pass& pass, const float* outputGradient, CpuLayer& below) const override {
    const int64_t width = state_.pattern.block().columns;
    products_.multiplyTransposed(
        pass.kernels, weights(), outputGradient, below.outputGradient(pass.panel),
        products_.columns(pass.thread), [&](Range columns) {
          below.finishGradientRows(pass, {columns.begin * width, columns.end * width}, pass.samples());
        });
  }

  void settleWeights(const Pass& pass, const float* input) override {
    float* const scratch = scratch_[static_cast<size_t>(pass.thread)].data();
    products_.gradient(pass.kernels, outputGradient_[pass.panel], input, products_.rows(pass.thread), scratch,
                       [&](int64_t first, std::span<float> gradients) {
                         weightSum_.settle(pass.kernels, *pass.update, state_.weight, first,
                                           static_cast<int64_t>(gradients.size()), gradients.data(),
                                           pass.place);
                       });
  }

 private:
  const float* weights() const { return state_.weight.values.data(); }

  const int64_t stride_;
  SparseProducts products_;
};

}  // namespace

std::unique_ptr<CpuLayer> makeSparseLayer(const LayerSetting& setting) {
  return std::make_unique<SparseLayer>(setting);
}

}  // namespace espalier::cpu
