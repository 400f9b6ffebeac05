#include "device/cpu/linear_layer.h"
#include "device/cpu/rounded_panels.h"
#include "device/cpu/sparse_products.h"

namespace espalier::cpu {
namespace {

class SparseLayer final : public LinearLayer {
 public:
  explicit SparseLayer(const LayerSetting& setting)
      : LinearLayer(setting, keepsGradients(setting)),
        widest_(setting.stride),
        rounding_(roundingFor(setting.narrow, setting.kernels, setting.state.pattern.block())),
        trains_(setting.training),
        keepsGradients_(keepsGradients(setting)),
        givesGradient_(setting.index > 0),
        roundsFinishedRows_(rounding_ != Rounding::None && setting.training && setting.gradientInRows &&
                            !scatters() && setting.description.activation != Activation::Srelu),
        keepsBatch_(setting.keepsBatch),
        takesSamples_(rounding_ != Rounding::None && setting.index == 0 && !setting.keepsBatch),
        rowsOnTheWay_(static_cast<size_t>(setting.threads)),
        inputs_(rounding_, gridInputs(), widest_, setting.panelsAtOnce),
        gradients_(rounding_, gridOutputs(), widest_, setting.training ? setting.panelsAtOnce : 0) {
    if (rounding_ != Rounding::None) {
      for (auto& rows : rowsOnTheWay_)
        rows = AlignedBuffer<float>(checkedProduct(kRowsOnTheWay, setting.stride));
    }
    patternChanged();
  }

  void patternChanged() override {
    products_ = SparseProducts(state_.pattern, widest_, static_cast<int>(scratch_.size()),
                               rounding_ != Rounding::None);
    if (!trains_ || keepsGradients_) return;
    if (settlesChunks()) return grow(chunkGradients_, products_.chunkGradients());
    for (auto& scratch : scratch_) grow(scratch, products_.gradientScratch());
  }

  int64_t workspaceBytes() const override {
    int64_t bytes = LinearLayer::workspaceBytes() + products_.bytes() + inputs_.bytes() + gradients_.bytes() +
                    chunkGradients_.bytes();
    for (const auto& rows : rowsOnTheWay_) bytes += rows.bytes();
    return bytes;
  }

  bool takesSamples() const override { return takesSamples_; }

  void takeSamples(const Pass& pass, std::span<const float* const> samples, int64_t features) override {
    float* const rows = rowsOnTheWay(pass);
    const Range share = inputs_.share(pass.team);
    for (int64_t first = share.begin; first < share.end; first += kRowsOnTheWay) {
      const Range some{first, std::min(first + kRowsOnTheWay, share.end)};
      const Range real{std::min(first, features), std::min(some.end, features)};
      pass.kernels.gatherPanel(samples.data(), static_cast<int64_t>(samples.size()), rows, pass.stride, real);
      std::fill(rows + real.size() * pass.stride, rows + some.size() * pass.stride, 0.0f);
      inputs_.round(pass.kernels, rows, pass.stride, some, inputForms(pass), pass.place.sum);
    }
  }

 protected:
  /// Moves weights from `first` on by their gradients in a pass.
  auto settler(const Pass& pass) {
    return [this, &pass](int64_t first, std::span<float> gradients) {
      weightSum_.settle(pass.kernels, *pass.update, state_.weight, first,
                        static_cast<int64_t>(gradients.size()), gradients.data(), pass.place);
    };
  }

  void multiply(const Pass& pass, const float* input, float* sums) override {
    const int64_t height = state_.pattern.block().rows;
    const auto outputOf = [&](Range rows) { return sums + rows.begin * height * pass.stride; };
    const auto finished = [&](Range rows) {
      finishRows(pass, {rows.begin * height, rows.end * height}, pass.samples());
    };
    const auto from = [&](const auto* elements) {
      products_.multiply(pass.kernels, pass.team, weights(pass), elements, pass.stride, outputOf, finished);
    };
    if (!takesSamples_) round(pass, input, inputForms(pass), inputs_);
    gather(pass, inputs_, input, from);
  }

  float* gradientRows(const Pass& pass, Range rows) override {
    const bool passThrough = roundsFinishedRows_ && !keepsBatch_ && rows.size() <= kRowsOnTheWay;
    return passThrough ? rowsOnTheWay(pass) : LinearLayer::gradientRows(pass, rows);
  }

  void finishGradientRows(const Pass& pass, Range rows, Range samples) override {
    LinearLayer::finishGradientRows(pass, rows, samples);
    if (!roundsFinishedRows_) return;
    // The layer above may have more padding than this one.
    const Range own{rows.begin, std::min(rows.end, gridOutputs())};
    gradients_.round(pass.kernels, gradientRows(pass, rows), pass.stride, own, gradientForms(),
                     pass.place.sum);
  }

  void beginBackward(const Pass& pass) override {
    if (roundsFinishedRows_) return;
    round(pass, outputGradient_[pass.panel], gradientForms(), gradients_);
  }

  void multiplyTransposed(const Pass& pass, const float* input, CpuLayer& below) override {
    const int64_t width = state_.pattern.block().columns;
    const auto features = [&](Range some) { return Range{some.begin * width, some.end * width}; };
    const auto outputOf = [&](Range some) { return below.gradientRows(pass, features(some)); };
    const auto finished = [&](Range some) { below.finishGradientRows(pass, features(some), pass.samples()); };
    const auto from = [&](const auto* gradient) {
      products_.multiplyTransposed(pass.kernels, pass.team, weights(pass), gradient, pass.stride, outputOf,
                                   finished);
    };
    if (pass.update != nullptr && (goesAtOnce(pass) || settlesChunks())) {
      const bool accumulates = weightSum_.accumulates(pass.place);
      return gatherBoth(pass, input, [&](const auto* gradient, const auto* elements) {
        if (goesAtOnce(pass)) {
          return products_.backward(pass.kernels, pass.team, weights(pass), gradient, elements, pass.stride,
                                    accumulates, weightSum_.at(pass.place, 0, nullptr), outputOf, finished);
        }
        products_.backwardInChunks(
            pass.kernels, pass.team, weights(pass), gradient, elements, pass.stride, accumulates,
            [&](int64_t first) { return weightSum_.at(pass.place, first, chunkGradients_.data()); },
            settler(pass), outputOf, finished);
      });
    }
    if (scatters()) return from(outputGradient_[pass.panel]);
    gather(pass, gradients_, outputGradient_[pass.panel], from);
  }

  void settleWeights(const Pass& pass, const float* input) override {
    if (settlesChunks()) return;
    const auto settle = settler(pass);
    if (goesAtOnce(pass)) {
      const Range rows = products_.rows(pass.team);
      const int64_t first = state_.pattern.rowOffsets()[rows.begin];
      const int64_t end = state_.pattern.rowOffsets()[rows.end];
      settle(first, {weightSum_.at(pass.place, first, nullptr), static_cast<size_t>(end - first)});
      return;
    }
    const auto from = [&](const auto* gradient, const auto* elements) {
      float* const scratch = scratch_[static_cast<size_t>(pass.thread)].data();
      products_.gradient(
          pass.kernels, pass.team, gradient, elements, pass.stride, weightSum_.accumulates(pass.place),
          [&](int64_t first) { return weightSum_.at(pass.place, first, scratch); }, settle);
    };
    gatherBoth(pass, input, from);
  }

 private:
  using OfSamples = TileForms::OfSamples;

  /// 4 x 1 does not gather output gradients, so it gains nothing from rounded ones there.
  bool scatters() const { return state_.pattern.block() == BlockShape{4, 1}; }

  /// As many as are finished at once.
  static constexpr int64_t kRowsOnTheWay = 64;
  float* rowsOnTheWay(const Pass& pass) { return rowsOnTheWay_[static_cast<size_t>(pass.thread)].data(); }

  static TileForms inputForms(const Pass& pass) {
    return {true, pass.training ? OfSamples::RightFactor : OfSamples::None};
  }
  TileForms gradientForms() const { return {givesGradient_, OfSamples::LeftFactor}; }

  /// Rounds a panel, all of it when every member has come here.
  void round(const Pass& pass, const float* panel, const TileForms& forms, RoundedPanels& copies) const {
    if (rounding_ == Rounding::None) return;
    const Range rows = copies.share(pass.team);
    copies.round(pass.kernels, panel + rows.begin * pass.stride, pass.stride, rows, forms, pass.place.sum);
    pass.team.barrier();
  }

  /// Calls work with what products gather from.
  template <typename Work>
  void gather(const Pass& pass, const RoundedPanels& copies, const float* panel, const Work& work) const {
    withElement(rounding_, [&]<typename Element>() { work(copies.of<Element>(panel, pass.place.sum)); });
  }
  /// The same with the panel's output gradients and inputs.
  template <typename Work>
  void gatherBoth(const Pass& pass, const float* input, const Work& work) const {
    withElement(rounding_, [&]<typename Element>() {
      work(gradients_.of<Element>(outputGradient_[pass.panel], pass.place.sum),
           inputs_.of<Element>(input, pass.place.sum));
    });
  }

  static void grow(AlignedBuffer<float>& buffer, int64_t size) {
    if (buffer.size() < size) buffer = AlignedBuffer<float>(size);
  }

  /// Features with the padding of this layer's blocks.
  int64_t gridInputs() const { return state_.pattern.grid().blockColumns() * state_.pattern.block().columns; }
  int64_t gridOutputs() const { return state_.pattern.grid().blockRows() * state_.pattern.block().rows; }

  /// Both products of the backward pass may go at once, of single weights where a layer below wants its
  /// gradient: those of all weights are kept where they are few enough,
  static bool keepsGradients(const LayerSetting& setting) {
    const Pattern& pattern = setting.state.pattern;
    return setting.training && setting.index > 0 && pattern.block().size() == 1 &&
           pattern.values() <= kManyWeights;
  }
  bool goesAtOnce(const Pass& pass) const {
    return keepsGradients_ && products_.repaysBackward(pass.team, pass.stride);
  }
  /// and settled chunk by chunk where they are not.
  bool settlesChunks() const { return trains_ && givesGradient_ && products_.settlesChunks(); }

  const int64_t widest_;
  const Rounding rounding_;
  const bool trains_;
  const bool keepsGradients_;
  const bool givesGradient_;
  /// Whether output gradients are rounded by whoever finishes their rows, from the first cache.
  const bool roundsFinishedRows_;
  const bool keepsBatch_;
  const bool takesSamples_;
  /// Rows that are wanted as a rounded copy only, one buffer per thread.
  std::vector<AlignedBuffer<float>> rowsOnTheWay_;
  RoundedPanels inputs_;
  RoundedPanels gradients_;
  /// Those of one chunk.
  AlignedBuffer<float> chunkGradients_;
  SparseProducts products_;
};

}  // namespace

std::unique_ptr<CpuLayer> makeSparseLayer(const LayerSetting& setting) {
  return std::make_unique<SparseLayer>(setting);
}

}  // namespace espalier::cpu
