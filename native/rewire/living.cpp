#include "rewire/living.h"

#include <string>

namespace espalier {
namespace {

constexpr const char* kRemoved = "removed";

/// Lists the blocks of `unit` neurons that live, and gives each its rank. A block dies as a whole.
void rankLiving(std::span<const int32_t> removed, int64_t blocks, int32_t unit, Array<int32_t>& living,
                Array<int32_t>& rank) {
  rank.assign(static_cast<size_t>(blocks), -1);
  for (int64_t block = 0; block < blocks; ++block) {
    if (!removed.empty() && removed[block * unit] != 0) continue;
    rank[block] = static_cast<int32_t>(living.size());
    living.push_back(static_cast<int32_t>(block));
  }
}

}  // namespace

size_t nextWeighted(const NetworkState& network, size_t layer) {
  do ++layer;
  while (layer < network.layers.size() && network.layers[layer].weight.empty());
  return layer;
}

int64_t previousWeighted(const NetworkState& network, size_t layer) {
  auto before = static_cast<int64_t>(layer);
  do --before;
  while (before >= 0 && network.layers[before].weight.empty());
  return before;
}

std::span<const int32_t> removedNeurons(const LayerState& layer) {
  const AlignedBuffer<int32_t>* const removed = layer.memory.find(kRemoved, layer.outputs);
  return removed == nullptr ? std::span<const int32_t>() : removed->span();
}

std::span<int32_t> makeRemovedNeurons(LayerState& layer) {
  return layer.memory.make(kRemoved, layer.outputs).span();
}

int64_t countRemoved(const LayerState& layer) {
  int64_t count = 0;
  for (const int32_t removed : removedNeurons(layer)) count += removed != 0 ? 1 : 0;
  return count;
}

Living::Living(const NetworkState& network, size_t layer) : grid_(network.layers[layer].pattern.grid()) {
  const int64_t below = previousWeighted(network, layer);
  const auto removedInputs = below < 0 ? std::span<const int32_t>() : removedNeurons(network.layers[below]);
  rankLiving(removedNeurons(network.layers[layer]), grid_.blockRows(), grid_.block.rows, rows_, rowRank_);
  rankLiving(removedInputs, grid_.blockColumns(), grid_.block.columns, columns_, columnRank_);
  require(!rows_.empty() && !columns_.empty(), ErrorCode::Data,
          "all neurons of layer " + std::to_string(layer) + ", or all of those below it, are removed");
}

Grid Living::smallerGrid() const {
  return {static_cast<int64_t>(rows_.size()), static_cast<int64_t>(columns_.size()), {}};
}

Array<int64_t> Living::inside(std::span<const int64_t> positions) const {
  const int64_t width = grid_.blockColumns();
  Array<int64_t> result(positions.size());
  for (size_t i = 0; i < positions.size(); ++i) {
    const int64_t row = rowRank_[positions[i] / width], column = columnRank_[positions[i] % width];
    require(row >= 0 && column >= 0, ErrorCode::Data, "a removed neuron has a connection");
    result[i] = row * static_cast<int64_t>(columns_.size()) + column;
  }
  return result;
}

void Living::outside(std::span<int64_t> positions) const {
  const auto width = static_cast<int64_t>(columns_.size());
  for (int64_t& position : positions) {
    position = rows_[position / width] * grid_.blockColumns() + columns_[position % width];
  }
}

}  // namespace espalier
