#include <limits>

#include "device/cuda/kernels/sparse_products.h"
#include "device/cuda/layers/linear_layer.h"
#include "device/cuda/products/choice.h"

namespace espalier::cuda {
namespace {

/// An update that leaves every weight and the optimizer's memory of it as they are, given a gradient of 0: so
/// that products which end in an update can be timed.
UpdateRule idleRule(UpdateRule rule) {
  rule = withoutDecay(rule);
  rule.momentum = 1;
  rule.beta1 = 1;
  rule.beta2 = 1;
  return rule;
}

class SparseLayer final : public LinearLayer {
 public:
  explicit SparseLayer(const LayerSetting& setting)
      : LinearLayer(setting),
        pattern_(context(), setting.state.pattern, chunkColumns(setting.state.pattern.block().columns),
                 chunkColumns(setting.state.pattern.block().rows)),
        gradient_(context().memory, drops() ? weight_.values.size() : 0),
        operands_{
            pattern_,       targetOf(weight_), multiplied(),    gradient_.data(), setting.description.masked,
            setting.stride, setting.input,     outputGradient()} {
    // As cuSPARSE wants to find it; see sddmm_products.cpp.
    gradient_.clear();
    if (!setting.training) forward_ = forwardProducts(setting.products, operands_, sums()).front()();
  }

  void choose(std::vector<ProductPlan>& plans) override {
    dropWeights();
    forward_ = fastest(
        "forward", forwardProducts(setting_.products, operands_, sums()),
        [](SpmmProduct& product) { product.run(); }, plans);
    forward();
    // The gradients are still 0.
    if (setting_.inputGradient != nullptr) {
      inputGradient_ = fastest(
          "inputGradient", inputGradientProducts(setting_.products, operands_, setting_.inputGradient),
          [](SpmmProduct& product) { product.run(); }, plans);
    }
    StepParameters idle;
    idle.learningRate = 0;
    // After every birth: weights of a network that has trained before have an age as well.
    idle.update = std::numeric_limits<int32_t>::max();
    idle.moveWeights = true;
    DeviceBuffer<StepParameters> idleStep(context().memory, 1);
    setStep(context(), idle, idleStep.data());
    weightGradient_ = fastest(
        "weightGradient", weightGradientProducts(setting_.products, operands_),
        [&](SddmmProduct& product) { product.run(idleRule(setting_.rule), idleStep.data()); }, plans);
    pattern_.keepChunks(forward_->walksChunks() || weightGradient_->walksChunks(),
                        inputGradient_ != nullptr && inputGradient_->walksChunks());
  }

  bool rewire(const RewirePlan& plan, int64_t updates, std::vector<LayerMoves>& moves) override {
    moves.push_back(rewireLayer(context(), setting_.products.blas, pattern_, weight_, plan, setting_.index,
                                updates, gradientSides()));
    bool survives = true;
    overProducts([&](Product& product) {
      product.patternChanged();
      survives = survives && product.survivesPatternChange();
    });
    patternMoved_ = true;
    return survives;
  }

  void download(LayerState& state) const override {
    LinearLayer::download(state);
    if (!patternMoved_) return;
    state.pattern = setting_.state.pattern;
    pattern_.download(state.pattern);
  }
  void downloaded() override { patternMoved_ = false; }

  int64_t workspaceBytes() const override {
    int64_t bytes = 0;
    overProducts([&](const Product& product) { bytes = std::max(bytes, product.workspaceBytes()); });
    return bytes;
  }

 protected:
  void multiply() override { forward_->run(); }
  void multiplyTransposed() override { inputGradient_->run(); }
  void settleWeights() override {
    weightGradient_->run(setting_.rule, setting_.step);
    if (gradient_.empty()) return;
    maskGradient(gradient_.data());
    updateWeights(context(), setting_.rule, targetOf(weight_), gradient_.data(), gradient_.size(),
                  setting_.step);
  }

 private:
  /// 0 where nothing is chosen by time, and so nothing staged.
  int32_t chunkColumns(int32_t blockInputs) const {
    if (!setting_.training) return 0;
    return stagedChunkColumns(context().card, blockInputs,
                              setting_.products.precision == Precision::Bfloat16);
  }

  template <typename Kind, typename Run>
  std::unique_ptr<Kind> fastest(const char* name, const std::vector<ProductMaker<Kind>>& makers,
                                const Run& run, std::vector<ProductPlan>& plans) {
    ProductPlan& plan = plans.emplace_back();
    plan.layer = setting_.index;
    plan.product = name;
    auto chosen = chooseFastest(context(), setting_.products.workspace, makers, run, plan);
    setting_.products.workspace.require(chosen->workspaceBytes());
    return chosen;
  }

  template <typename Use>
  void overProducts(const Use& use) const {
    for (Product* const product :
         {static_cast<Product*>(forward_.get()), static_cast<Product*>(inputGradient_.get()),
          static_cast<Product*>(weightGradient_.get())}) {
      if (product != nullptr) use(*product);
    }
  }

  DevicePattern pattern_;
  /// With DropConnect: that of what is left of the weights.
  DeviceBuffer<float> gradient_;
  const LayerOperands operands_;
  std::unique_ptr<SpmmProduct> forward_;
  std::unique_ptr<SpmmProduct> inputGradient_;
  std::unique_ptr<SddmmProduct> weightGradient_;
  /// Since the last download.
  bool patternMoved_ = false;
};

}  // namespace

std::unique_ptr<CudaLayer> makeSparseLayer(const LayerSetting& setting) {
  return std::make_unique<SparseLayer>(setting);
}

}  // namespace espalier::cuda
