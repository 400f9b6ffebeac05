#include <type_traits>

#include "device/cuda/kernels/block_products.h"
#include "device/cuda/kernels/dense_copy.h"
#include "device/cuda/kernels/sparse_products.h"
#include "device/cuda/products/product.h"

namespace espalier::cuda {
namespace {

enum class Direction { Forward, InputGradient };

/// What all of them hold.
class OwnSpmm : public SpmmProduct {
 public:
  OwnSpmm(const ProductSetting& setting, const LayerOperands& operands, Direction direction, float* output)
      : setting_(setting), operands_(operands), direction_(direction), output_(output) {}

  int64_t workspaceBytes() const override {
    return gathers() ? operands_.pattern.entries() * int64_t{sizeof(float)} : 0;
  }

 protected:
  Context& context() const { return setting_.context; }
  bool forward() const { return direction_ == Direction::Forward; }
  Features input() const { return forward() ? operands_.input : operands_.outputGradient; }
  int32_t stride() const { return operands_.stride; }
  /// The view to walk; single weights are first brought into the order of the transpose view, since every
  /// slice of the samples would fetch them again.
  SparseView matrix() const {
    const float* const values = operands_.values;
    if (forward()) return operands_.pattern.forwardView(values);
    if (!gathers()) return operands_.pattern.transposeView(values);
    float* const gathered = setting_.workspace.floats();
    gatherValues(context(), operands_.pattern.valueIndex(), values, gathered, operands_.pattern.entries());
    return operands_.pattern.gatheredTransposeView(gathered);
  }

  const ProductSetting setting_;
  const LayerOperands operands_;
  const Direction direction_;
  float* const output_;

 private:
  bool gathers() const { return !forward() && operands_.pattern.grid().block.size() == 1; }
};

class GatherSpmm final : public OwnSpmm {
 public:
  using OwnSpmm::OwnSpmm;
  std::string name() const override { return "gather"; }
  void run() override { gatherSpmm(context(), matrix(), input(), output_, stride()); }
};

class StagedSpmm final : public OwnSpmm {
 public:
  using OwnSpmm::OwnSpmm;
  std::string name() const override { return "staged"; }
  bool walksChunks() const override { return true; }
  void run() override {
    const ChunkOffsets chunks =
        forward() ? operands_.pattern.forwardChunks() : operands_.pattern.transposeChunks();
    stagedSpmm(context(), matrix(), chunks, input(), output_, stride());
  }
};

class BlockSpmm final : public OwnSpmm {
 public:
  using OwnSpmm::OwnSpmm;
  std::string name() const override { return "matrix units"; }
  void run() override { blockSpmm(context(), matrix(), input(), output_, stride()); }
};

/// cuSPARSE holds on to its operands, so the weights that it multiplies in transposed order have an array of
/// their own.
class LibrarySpmm final : public OwnSpmm {
 public:
  LibrarySpmm(const ProductSetting& setting, const LayerOperands& operands, Direction direction,
              float* output)
      : OwnSpmm(setting, operands, direction, output),
        gathered_(setting.context.memory, forward() ? 0 : operands.pattern.entries()),
        spmm_(setting.context, setting.sparse,
              forward() ? operands.pattern.forwardView(operands.values)
                        : operands.pattern.gatheredTransposeView(gathered_.data()),
              input().values, output, operands.stride) {
    patternChanged();
  }
  std::string name() const override { return "cuSPARSE"; }
  int64_t workspaceBytes() const override { return 0; }
  void patternChanged() override {
    gather();
    spmm_.prepare();
  }
  bool survivesPatternChange() const override { return false; }
  void run() override {
    gather();
    spmm_.run();
  }

 private:
  void gather() {
    if (forward()) return;
    gatherValues(context(), operands_.pattern.valueIndex(), operands_.values, gathered_.data(),
                 operands_.pattern.entries());
  }

  DeviceBuffer<float> gathered_;
  CusparseSpmm spmm_;
};

/// As a dense matrix that is made anew for each product.
class DenseSpmm final : public OwnSpmm {
 public:
  using OwnSpmm::OwnSpmm;
  std::string name() const override { return "dense"; }
  int64_t workspaceBytes() const override {
    const int64_t size = rows() * columns();
    return size * static_cast<int64_t>(sizeof(float) + (rounds() ? sizeof(__nv_bfloat16) : 0));
  }
  void run() override {
    float* const dense = setting_.workspace.floats();
    const int64_t size = rows() * columns();
    check(cudaMemsetAsync(dense, 0, static_cast<size_t>(size) * sizeof(float), context().stream.get()),
          "clear a dense matrix");
    scatterToDense(context(), operands_.pattern.forwardView(operands_.values), dense);
    __nv_bfloat16* rounded = nullptr;
    if (rounds()) {
      rounded = reinterpret_cast<__nv_bfloat16*>(dense + size);
      roundToBfloat16(context(), dense, rounded, size);
    }
    if (forward()) {
      setting_.blas.multiply(dense, rounded, rows(), columns(), input(), output_, stride(),
                             setting_.precision);
    } else {
      setting_.blas.multiplyTransposed(dense, rounded, rows(), columns(), input(), output_, stride(),
                                       setting_.precision);
    }
  }

 private:
  bool rounds() const { return setting_.precision == Precision::Bfloat16; }
  int64_t rows() const { return operands_.pattern.grid().blockRows() * operands_.pattern.grid().block.rows; }
  int64_t columns() const {
    return operands_.pattern.grid().blockColumns() * operands_.pattern.grid().block.columns;
  }
};

std::vector<ProductMaker<SpmmProduct>> products(const ProductSetting& setting, const LayerOperands& operands,
                                                Direction direction, float* output) {
  std::vector<ProductMaker<SpmmProduct>> all;
  const auto offer = [&]<typename Kind>(std::type_identity<Kind>) {
    all.push_back([=] { return std::make_unique<Kind>(setting, operands, direction, output); });
  };
  if (operands.masked) {
    offer(std::type_identity<DenseSpmm>());
    return all;
  }
  const BlockShape block = operands.pattern.grid().block;
  if (setting.precision != Precision::Float32 && hasBlockProducts(block.rows, block.columns)) {
    offer(std::type_identity<BlockSpmm>());
  }
  offer(std::type_identity<GatherSpmm>());
  offer(std::type_identity<StagedSpmm>());
  if (block.size() == 1) offer(std::type_identity<LibrarySpmm>());
  if (setting.denseFallback) offer(std::type_identity<DenseSpmm>());
  return all;
}

}  // namespace

std::vector<ProductMaker<SpmmProduct>> forwardProducts(const ProductSetting& setting,
                                                       const LayerOperands& operands, float* output) {
  return products(setting, operands, Direction::Forward, output);
}

std::vector<ProductMaker<SpmmProduct>> inputGradientProducts(const ProductSetting& setting,
                                                             const LayerOperands& operands,
                                                             float* inputGradient) {
  return products(setting, operands, Direction::InputGradient, inputGradient);
}

}  // namespace espalier::cuda
