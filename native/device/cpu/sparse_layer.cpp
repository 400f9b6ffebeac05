#include "device/cpu/linear_layer.h"
#include "device/cpu/sparse_products.h"

namespace espalier::cpu {
namespace {

/// Panels of activations or gradients in bfloat16, for products to gather from.
class NarrowPanels {
 public:
  NarrowPanels() = default;
  NarrowPanels(int64_t rows, int64_t stride, int64_t count)
      : size_(checkedProduct(rows, stride) / 2), data_(checkedProduct(size_, count)) {}

  /// Rounds a team's rows of a panel; all of them when every member has come here.
  const Bfloat16Pair* load(const Pass& pass, const float* panel, int64_t rows) {
    Bfloat16Pair* const narrowed = data_.data() + pass.place.sum * size_;
    pass.kernels.narrow(panel, pass.stride, pass.team.share(rows), narrowed);
    pass.team.barrier();
    return narrowed;
  }

  const Bfloat16Pair* at(const Pass& pass) const { return data_.data() + pass.place.sum * size_; }
  int64_t bytes() const { return data_.bytes(); }

 private:
  int64_t size_ = 0;
  AlignedBuffer<Bfloat16Pair> data_;
};

class SparseLayer final : public LinearLayer {
 public:
  explicit SparseLayer(const LayerSetting& setting)
      : LinearLayer(setting, canFuse(setting)),
        widest_(setting.stride),
        narrow_(setting.narrow),
        fuses_(canFuse(setting)) {
    if (narrow_) {
      inputs_ = NarrowPanels(gridInputs(), widest_, setting.panelsAtOnce);
      if (setting.training) gradients_ = NarrowPanels(gridOutputs(), widest_, setting.panelsAtOnce);
    }
    patternChanged();
  }

  void patternChanged() override {
    products_ = SparseProducts(state_.pattern, widest_, static_cast<int>(scratch_.size()), narrow_);
    if (outputGradient_.empty()) return;
    for (auto& scratch : scratch_) {
      if (scratch.size() < products_.gradientScratch()) {
        scratch = AlignedBuffer<float>(products_.gradientScratch());
      }
    }
  }

  int64_t workspaceBytes() const override {
    return LinearLayer::workspaceBytes() + products_.bytes() + inputs_.bytes() + gradients_.bytes();
  }

 protected:
  void multiply(const Pass& pass, const float* input, float* sums) override {
    const int64_t height = state_.pattern.block().rows;
    const auto from = [&](const auto* elements) {
      products_.multiply(pass.kernels, weights(pass), elements, sums, pass.stride, products_.rows(pass.team),
                         [&](Range rows) {
                           finishRows(pass, {rows.begin * height, rows.end * height}, pass.samples());
                         });
    };
    narrow_ ? from(inputs_.load(pass, input, gridInputs())) : from(input);
  }

  void beginBackward(const Pass& pass) override {
    if (narrow_) gradients_.load(pass, outputGradient_[pass.panel], gridOutputs());
  }

  void multiplyTransposed(const Pass& pass, const float* input, CpuLayer& below) override {
    const int64_t width = state_.pattern.block().columns;
    const Range columns = products_.columns(pass.team);
    float* const output = below.outputGradient(pass.panel);
    const auto finished = [&](Range some) {
      below.finishGradientRows(pass, {some.begin * width, some.end * width}, pass.samples());
    };
    const auto from = [&](const auto* gradient) {
      products_.multiplyTransposed(pass.kernels, weights(pass), gradient, output, pass.stride, columns,
                                   finished);
    };
    if (fuses_ && pass.update != nullptr) {
      const auto both = [&](const auto* gradient, const auto* elements) {
        products_.backward(pass.kernels, weights(pass), gradient, elements, output, pass.stride, columns,
                           weightSum_.accumulates(pass.place), weightSum_.at(pass.place, 0, nullptr),
                           finished);
      };
      narrow_ ? both(gradients_.at(pass), inputs_.at(pass)) : both(outputGradient_[pass.panel], input);
      return;
    }
    // 4 x 1 does not gather here, so it gains nothing from rounded numbers.
    const bool gathers = state_.pattern.block() != BlockShape{4, 1};
    narrow_&& gathers ? from(gradients_.at(pass)) : from(outputGradient_[pass.panel]);
  }

  void settleWeights(const Pass& pass, const float* input) override {
    const Range rows = products_.rows(pass.team);
    const auto settle = [&](int64_t first, std::span<float> gradients) {
      weightSum_.settle(pass.kernels, *pass.update, state_.weight, first,
                        static_cast<int64_t>(gradients.size()), gradients.data(), pass.place);
    };
    if (fuses_) {
      const int64_t first = state_.pattern.rowOffsets()[rows.begin];
      const int64_t end = state_.pattern.rowOffsets()[rows.end];
      settle(first, {weightSum_.at(pass.place, first, nullptr), static_cast<size_t>(end - first)});
      return;
    }
    const auto from = [&](const auto* gradient, const auto* elements) {
      float* const scratch = scratch_[static_cast<size_t>(pass.thread)].data();
      products_.gradient(
          pass.kernels, gradient, elements, pass.stride, rows, weightSum_.accumulates(pass.place),
          [&](int64_t first) { return weightSum_.at(pass.place, first, scratch); }, settle);
    };
    narrow_ ? from(gradients_.at(pass), inputs_.at(pass)) : from(outputGradient_[pass.panel], input);
  }

 private:
  /// Features with the padding of this layer's blocks.
  int64_t gridInputs() const { return state_.pattern.grid().blockColumns() * state_.pattern.block().columns; }
  int64_t gridOutputs() const { return state_.pattern.grid().blockRows() * state_.pattern.block().rows; }

  /// Whether both products of the backward pass may be one: where a layer below wants its gradient, and
  /// those of all weights are few enough to be kept.
  static bool canFuse(const LayerSetting& setting) {
    const Pattern& pattern = setting.state.pattern;
    return setting.training && setting.index > 0 && pattern.block().size() == 1 &&
           widestPanel(pattern.values()) == kUsualPanel;
  }

  const int64_t widest_;
  const bool narrow_;
  const bool fuses_;
  NarrowPanels inputs_;
  NarrowPanels gradients_;
  SparseProducts products_;
};

}  // namespace

std::unique_ptr<CpuLayer> makeSparseLayer(const LayerSetting& setting) {
  return std::make_unique<SparseLayer>(setting);
}

}  // namespace espalier::cpu
