#include <algorithm>

#include "device/cpu/dense_products_layer.h"
#include "sparse/over_weights.h"

namespace espalier::cpu {
namespace {

/// A sparse layer as the codes behind the papers keep it: multiplied as a dense matrix that is 0 where no
/// connection is, in all three products, with the gradient taken where there is one. State, optimizer and
/// rewiring are those of any sparse layer, so the two train alike.
class MaskedLayer final : public DenseProductsLayer {
 public:
  explicit MaskedLayer(const LayerSetting& setting)
      : DenseProductsLayer(setting), dense_(checkedProduct(state_.outputs, state_.inputs)) {
    if (!setting.training) return;
    // A tile of the dense gradient, and those of its places that exist.
    const int64_t widest = state_.pattern.grid().blockColumns() * state_.pattern.block().columns;
    for (auto& scratch : scratch_)
      scratch = AlignedBuffer<float>(tileBlocks() * height() * (state_.inputs + widest));
  }

  bool prepares() const override { return true; }

  void prepare(const Pass& pass) override {
    DenseProductsLayer::prepare(pass);
    pass.team.barrier();
    const Range share = pass.team.share(state_.pattern.grid().blockRows(), tileBlocks());
    const float* const values = weights(pass);
    float* const dense = dense_.data();
    std::fill(dense + rowOf(share.begin) * state_.inputs, dense + rowOf(share.end) * state_.inputs, 0.0f);
    overWeightsOfRows(state_.pattern, share.begin, share.end, [&](int64_t i, int64_t row, int64_t column) {
      dense[row * state_.inputs + column] = values[i];
    });
  }

  int64_t workspaceBytes() const override { return DenseProductsLayer::workspaceBytes() + dense_.bytes(); }

 protected:
  const float* matrix(const Pass&) const override { return dense_.data(); }

  void settleWeights(const Pass& pass, const float* input) override {
    float* const tile = scratch_[static_cast<size_t>(pass.thread)].data();
    float* const taken = tile + tileBlocks() * height() * state_.inputs;
    const Array<int64_t>& offsets = state_.pattern.rowOffsets();
    const int64_t size = state_.pattern.block().size();
    const Range share = pass.team.share(state_.pattern.grid().blockRows(), tileBlocks());
    for (int64_t row = share.begin; row < share.end; row += tileBlocks()) {
      const Range blockRows{row, std::min(row + tileBlocks(), share.end)};
      const Range rows{rowOf(blockRows.begin), rowOf(blockRows.end)};
      pass.kernels.gemmGradient(outputGradient_[pass.panel], input, state_.inputs, pass.stride, rows, false,
                                tile);
      const int64_t first = offsets[blockRows.begin] * size, count = offsets[blockRows.end] * size - first;
      std::fill_n(taken, count, 0.0f);
      overWeightsOfRows(state_.pattern, blockRows.begin, blockRows.end,
                        [&](int64_t i, int64_t row, int64_t column) {
                          taken[i - first] = tile[(row - rows.begin) * state_.inputs + column];
                        });
      weightSum_.take(pass.kernels, *pass.update, state_.weight, first, count, taken, pass.place);
    }
  }

 private:
  int64_t height() const { return state_.pattern.block().rows; }
  /// Block rows whose gradients are computed at once: those of a register tile, at least.
  int64_t tileBlocks() const { return divideUp(kTileRows, height()); }
  int64_t rowOf(int64_t blockRow) const { return std::min(blockRow * height(), state_.outputs); }

  AlignedBuffer<float> dense_;
};

}  // namespace

std::unique_ptr<CpuLayer> makeMaskedLayer(const LayerSetting& setting) {
  return std::make_unique<MaskedLayer>(setting);
}

}  // namespace espalier::cpu
