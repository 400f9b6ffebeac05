#include "topology/lay.h"

#include <algorithm>

#include "base/memory.h"
#include "topology/fan_in_profile.h"
#include "topology/random_pattern.h"
#include "topology/spatial_coupling.h"

namespace espalier {
namespace {

constexpr int64_t kBytesPerWeight = sizeof(float);

using FanIns = std::vector<std::vector<int64_t>>;

/// Lays one topology; an overload for each layout.
class Layer {
 public:
  Layer(std::span<const LayerToLay> layers, double sparsity, const Density& density)
      : layers_(layers), sparsity_(sparsity), density_(density) {
    for (const LayerToLay& layer : layers) grids_.push_back(layer.grid);
  }

  std::vector<Pattern> operator()(const RandomLayout&) const {
    const std::vector<int64_t> blocks = shareBlocks();
    std::vector<Pattern> patterns;
    for (size_t i = 0; i < layers_.size(); ++i) {
      patterns.push_back(randomPattern(grids_[i], blocks[i], layers_[i].seed));
    }
    return patterns;
  }

  std::vector<Pattern> operator()(const ProfileLayout& layout) const {
    requireOnePerLayer(layout.cv.size(), "coefficients of variation");
    const std::vector<int64_t> blocks = shareBlocks();
    FanIns counts;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const ProfileSize size{grids_[i].blockRows(), grids_[i].blockColumns(), blocks[i]};
      counts.push_back(fanInProfile(layout.family, layout.cv[i], size, layerName(grids_, i)).counts);
    }
    return place(counts, layout.placement);
  }

  std::vector<Pattern> operator()(const FanInLayout& layout) const {
    requireOnePerLayer(layout.counts.size(), "lists of fan-in");
    return place(layout.counts, layout.placement);
  }

  std::vector<Pattern> operator()(const ConstantFanInLayout&) const {
    const std::vector<int64_t> blocks = shareBlocks();
    FanIns counts;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const int64_t rows = grids_[i].blockRows();
      // As quotient and rest, since row x blocks may be beyond 64 bits.
      const int64_t each = blocks[i] / rows, rest = blocks[i] % rows;
      auto& fanIn = counts.emplace_back(static_cast<size_t>(rows));
      for (int64_t row = 0; row < rows; ++row) {
        fanIn[static_cast<size_t>(row)] = each + (row + 1) * rest / rows - row * rest / rows;
      }
    }
    return place(counts, InputPlacement::Random);
  }

  std::vector<Pattern> operator()(const SpatiallyCoupledLayout& layout) const {
    return laySpatiallyCoupled(layers_, shareBlocks(), layout);
  }

  std::vector<Pattern> operator()(const SavedLayout& layout) const {
    require(layout.patterns != nullptr, ErrorCode::Option,
            "a saved topology needs the patterns that it is made of");
    requireOnePerLayer(layout.patterns->size(), "saved patterns");
    std::vector<Pattern> patterns;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const CsrArrays& arrays = (*layout.patterns)[i];
      lay(patterns, i, [&] { return Pattern(grids_[i], arrays.rowOffsets, arrays.columns); });
    }
    return patterns;
  }

 private:
  /// Blocks of each layer as the density shares them.
  std::vector<int64_t> shareBlocks() const {
    std::vector<double> own;
    for (const LayerToLay& layer : layers_) own.push_back(layer.sparsity);
    std::vector<int64_t> blocks = layerConnections(grids_, sparsity_, density_, own);
    int64_t bytes = 0;
    for (size_t i = 0; i < layers_.size(); ++i) {
      blocks[i] = blocksFor(grids_[i], blocks[i]);
      bytes += checkedProduct(blocks[i], Pattern::kBytesPerEntry + grids_[i].block.size() * kBytesPerWeight);
    }
    // Before the work of laying what there is no room for.
    requireMemory(bytes);
    return blocks;
  }

  void requireOnePerLayer(size_t given, const char* what) const {
    require(given == layers_.size(), ErrorCode::Option,
            std::to_string(given) + " " + what + " given for " + std::to_string(layers_.size()) +
                " sparse layers; there must be one for each");
  }

  std::vector<Pattern> place(const FanIns& counts, InputPlacement placement) const {
    std::vector<Pattern> patterns;
    for (size_t i = 0; i < layers_.size(); ++i) {
      lay(patterns, i, [&] { return placeInputs(grids_[i], counts[i], placement, layers_[i].seed); });
    }
    return patterns;
  }

  /// Adds a layer that make() lays; what it throws gets the layer's name.
  template <typename Make>
  void lay(std::vector<Pattern>& patterns, size_t layer, const Make& make) const {
    try {
      patterns.push_back(make());
    } catch (const Error& error) {
      throw Error(error.code(), layerName(grids_, layer) + ": " + error.what());
    }
    require(patterns.back().entries() > 0, ErrorCode::Option,
            layerName(grids_, layer) + " is left without a connection");
  }

  const std::span<const LayerToLay> layers_;
  const double sparsity_;
  const Density& density_;
  std::vector<Grid> grids_;
};

}  // namespace

std::vector<Pattern> layPatterns(std::span<const LayerToLay> layers, double sparsity,
                                 const Topology& topology) {
  return std::visit(Layer(layers, sparsity, topology.density), topology.layout);
}

}  // namespace espalier
