#include <type_traits>

#include "device/cuda/kernels/block_products.h"
#include "device/cuda/kernels/dense_copy.h"
#include "device/cuda/kernels/sparse_products.h"
#include "device/cuda/products/product.h"

namespace espalier::cuda {
namespace {

/// What all of them hold.
class OwnSddmm : public SddmmProduct {
 public:
  OwnSddmm(const ProductSetting& setting, const LayerOperands& operands)
      : setting_(setting), operands_(operands) {}

 protected:
  Context& context() const { return setting_.context; }
  SparseView matrix() const { return operands_.pattern.forwardView(operands_.values); }
  GradientSink sink(const UpdateRule& rule, const StepParameters* step) const {
    return {operands_.gradient, rule, operands_.weight, step};
  }

  const ProductSetting setting_;
  const LayerOperands operands_;
};

class GatherSddmm final : public OwnSddmm {
 public:
  using OwnSddmm::OwnSddmm;
  std::string name() const override { return "gather"; }
  void run(const UpdateRule& rule, const StepParameters* step) override {
    gatherSddmm(context(), matrix(), operands_.outputGradient, operands_.input, operands_.stride,
                sink(rule, step));
  }
};

class StagedSddmm final : public OwnSddmm {
 public:
  using OwnSddmm::OwnSddmm;
  std::string name() const override { return "staged"; }
  bool walksChunks() const override { return true; }
  int64_t workspaceBytes() const override {
    return stagedSddmmScratch(context().card, matrix(), operands_.stride) * int64_t{sizeof(float)};
  }
  void run(const UpdateRule& rule, const StepParameters* step) override {
    stagedSddmm(context(), matrix(), operands_.pattern.forwardChunks(), operands_.outputGradient,
                operands_.input, operands_.stride, setting_.workspace.floats(), sink(rule, step));
  }
};

class BlockSddmm final : public OwnSddmm {
 public:
  using OwnSddmm::OwnSddmm;
  std::string name() const override { return "matrix units"; }
  void run(const UpdateRule& rule, const StepParameters* step) override {
    blockSddmm(context(), matrix(), operands_.outputGradient, operands_.input, operands_.stride,
               sink(rule, step));
  }
};

/// The gradient is stored in any case, and handed to the optimizer afterwards.
class LibrarySddmm final : public OwnSddmm {
 public:
  LibrarySddmm(const ProductSetting& setting, const LayerOperands& operands)
      : OwnSddmm(setting, operands),
        gradient_(setting.context.memory, operands.gradient == nullptr ? operands.pattern.entries() : 0),
        sddmm_(setting.context, setting.sparse, matrix(), operands.outputGradient.values,
               operands.input.values, operands.stride,
               operands.gradient == nullptr ? gradient_.data() : operands.gradient) {
    // cuSPARSE may multiply what it finds there by 0, and that may be no number.
    gradient_.clear();
    sddmm_.prepare();
  }
  std::string name() const override { return "cuSPARSE"; }
  void patternChanged() override { sddmm_.prepare(); }
  bool survivesPatternChange() const override { return false; }
  void run(const UpdateRule& rule, const StepParameters* step) override {
    sddmm_.run();
    if (gradient_.empty()) return;
    updateWeights(context(), rule, operands_.weight, gradient_.data(), gradient_.size(), step);
  }

 private:
  DeviceBuffer<float> gradient_;
  CusparseSddmm sddmm_;
};

/// The whole dense gradient, of which the stored places are taken.
class DenseSddmm final : public OwnSddmm {
 public:
  using OwnSddmm::OwnSddmm;
  std::string name() const override { return "dense"; }
  int64_t workspaceBytes() const override { return rows() * columns() * int64_t{sizeof(float)}; }
  void run(const UpdateRule& rule, const StepParameters* step) override {
    float* const dense = setting_.workspace.floats();
    setting_.blas.gradient(operands_.outputGradient, operands_.input, rows(), columns(), operands_.stride,
                           dense, setting_.precision);
    settleFromDense(context(), matrix(), dense, sink(rule, step));
  }

 private:
  int64_t rows() const { return operands_.pattern.grid().blockRows() * operands_.pattern.grid().block.rows; }
  int64_t columns() const {
    return operands_.pattern.grid().blockColumns() * operands_.pattern.grid().block.columns;
  }
};

}  // namespace

std::vector<ProductMaker<SddmmProduct>> weightGradientProducts(const ProductSetting& setting,
                                                               const LayerOperands& operands) {
  std::vector<ProductMaker<SddmmProduct>> all;
  const auto offer = [&]<typename Kind>(std::type_identity<Kind>) {
    all.push_back([=] { return std::make_unique<Kind>(setting, operands); });
  };
  if (operands.masked) {
    offer(std::type_identity<DenseSddmm>());
    return all;
  }
  const BlockShape block = operands.pattern.grid().block;
  if (setting.precision != Precision::Float32 && hasBlockProducts(block.rows, block.columns)) {
    offer(std::type_identity<BlockSddmm>());
  }
  offer(std::type_identity<GatherSddmm>());
  if (block.size() == 1) {
    offer(std::type_identity<StagedSddmm>());
    offer(std::type_identity<LibrarySddmm>());
  }
  if (setting.denseFallback) offer(std::type_identity<DenseSddmm>());
  return all;
}

}  // namespace espalier::cuda
