#include "topology/spatial_coupling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/random.h"
#include "topology/random_pattern.h"
#include "topology/share_out.h"

namespace espalier {
namespace {

void checkImportance(std::span<const double> importance) {
  bool any = false;
  for (size_t i = 0; i < importance.size(); ++i) {
    require(std::isfinite(importance[i]) && importance[i] >= 0, ErrorCode::Option,
            "the importance of input " + std::to_string(i) + " is " + std::to_string(importance[i]) +
                "; allowed: finite numbers >= 0");
    any = any || importance[i] > 0;
  }
  require(any, ErrorCode::Option, "the importance of every input is 0; one at least must be above");
}

/// Importance of each block column, as a share of the largest one of an input, so that no sum overflows.
std::vector<double> importanceOfColumns(const Grid& grid, std::span<const double> importance) {
  const double top = *std::max_element(importance.begin(), importance.end());
  std::vector<double> result(static_cast<size_t>(grid.blockColumns()), 0);
  for (size_t i = 0; i < importance.size(); ++i) result[i / grid.block.columns] += importance[i] / top;
  return result;
}

/// The band of one layer, in block rows and block columns.
struct Band {
  /// One input block and the rows of the neuron blocks that it connects to.
  struct Part {
    /// Places in `order`.
    int64_t firstColumn = 0;
    int64_t columns = 0;
    int64_t firstRow = 0;
    int64_t rows = 0;
  };
  std::vector<Part> parts;
  /// Block columns, the most important first.
  std::vector<int64_t> order;
  /// Connections of each part.
  std::vector<int64_t> shares;
};

/// Where block `index` of `count` begins among `size` things.
int64_t cut(int64_t index, int64_t count, int64_t size) {
  return index * size / count;
}

Band planBand(const LayerToLay& layer, int64_t connections, const SpatiallyCoupledLayout& layout,
              const std::string& name) {
  const Grid& grid = layer.grid;
  const int64_t columns = grid.blockColumns(), rows = grid.blockRows();
  const auto requireRoom = [&](int64_t size, const char* what) {
    require(layout.blocks <= size, ErrorCode::Option,
            "blocks is " + std::to_string(layout.blocks) + ", and " + name + " has " + std::to_string(size) +
                " " + what + " to cut; allowed: 1 to " + std::to_string(size));
  };
  requireRoom(columns, grid.block.columns == 1 ? "inputs" : "blocks of inputs");
  requireRoom(rows, grid.block.rows == 1 ? "outputs" : "blocks of outputs");

  Band band;
  std::vector<double> importance(static_cast<size_t>(columns), 1);
  if (layer.readsInputs) importance = importanceOfColumns(grid, layout.importance);
  band.order.resize(static_cast<size_t>(columns));
  std::iota(band.order.begin(), band.order.end(), int64_t{0});
  std::stable_sort(band.order.begin(), band.order.end(),
                   [&](int64_t a, int64_t b) { return importance[a] > importance[b]; });

  std::vector<double> weights;
  std::vector<int64_t> room;
  for (int64_t block = 0; block < layout.blocks; ++block) {
    Band::Part part;
    part.firstColumn = cut(block, layout.blocks, columns);
    part.columns = cut(block + 1, layout.blocks, columns) - part.firstColumn;
    part.firstRow = cut(std::max<int64_t>(0, block - layout.window + 1), layout.blocks, rows);
    part.rows = cut(block + 1, layout.blocks, rows) - part.firstRow;
    double weight = 0;
    for (int64_t i = 0; i < part.columns; ++i) weight += importance[band.order[part.firstColumn + i]];
    weights.push_back(weight);
    room.push_back(checkedProduct(part.columns, part.rows));
    band.parts.push_back(part);
  }
  const int64_t most = std::accumulate(room.begin(), room.end(), int64_t{0});
  require(connections <= most, ErrorCode::Option,
          name + " asks for " + std::to_string(connections) + " connections" +
              (grid.block.size() == 1 ? "" : " (blocks)") + "; a window of " + std::to_string(layout.window) +
              " over " + std::to_string(layout.blocks) + " blocks reaches 1 to " + std::to_string(most));
  band.shares = shareOut(connections, weights, room);
  return band;
}

Pattern layBand(const LayerToLay& layer, const Band& band) {
  const int64_t width = layer.grid.blockColumns();
  Array<int64_t> drawn;
  for (size_t p = 0; p < band.parts.size(); ++p) {
    const Band::Part& part = band.parts[p];
    const Feistel draw(static_cast<uint64_t>(part.columns * part.rows),
                       deriveSeed(layer.seed, RandomPurpose::Pattern, 0, p));
    for (int64_t rank = 0; rank < band.shares[p]; ++rank) {
      const auto place = static_cast<int64_t>(draw(static_cast<uint64_t>(rank)));
      const int64_t row = part.firstRow + place / part.columns;
      drawn.push_back(row * width + band.order[part.firstColumn + place % part.columns]);
    }
  }
  return patternOfDrawn(layer.grid, drawn);
}

}  // namespace

std::vector<Pattern> laySpatiallyCoupled(std::span<const LayerToLay> layers,
                                         std::span<const int64_t> connections,
                                         const SpatiallyCoupledLayout& layout) {
  require(layout.blocks >= 1 && layout.window >= 1 && layout.window <= layout.blocks, ErrorCode::Option,
          "a window of " + std::to_string(layout.window) + " over " + std::to_string(layout.blocks) +
              " blocks; allowed: 1 to the number of blocks");
  checkImportance(layout.importance);
  std::vector<Grid> grids;
  for (const LayerToLay& layer : layers) grids.push_back(layer.grid);
  require(std::ranges::any_of(layers, &LayerToLay::readsInputs), ErrorCode::Option,
          "spatial coupling follows the importance of the network's inputs, and the layer that reads them is "
          "not sparse");
  std::vector<Band> bands;
  for (size_t i = 0; i < layers.size(); ++i) {
    require(!layers[i].readsInputs || static_cast<int64_t>(layout.importance.size()) == grids[i].columns,
            ErrorCode::Option,
            "importance has " + std::to_string(layout.importance.size()) + " numbers; the network has " +
                std::to_string(grids[i].columns) + " inputs");
    requireBlocks(grids[i], connections[i]);
    bands.push_back(planBand(layers[i], connections[i], layout, layerName(grids, i)));
  }
  std::vector<Pattern> patterns;
  for (size_t i = 0; i < layers.size(); ++i) patterns.push_back(layBand(layers[i], bands[i]));
  return patterns;
}

}  // namespace espalier
