#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/state.h"

namespace espalier {

/// Which layer's weights follow those of `layer`, dropout and normalisation passed over; or the number of
/// layers. And which go before; or -1.
size_t nextWeighted(const NetworkState& network, size_t layer);
int64_t previousWeighted(const NetworkState& network, size_t layer);

/// Whether each output neuron of a layer was removed; empty where none ever was.
std::span<const int32_t> removedNeurons(const LayerState& layer);
/// The same to mark them in; none of them removed where none ever was.
std::span<int32_t> makeRemovedNeurons(LayerState& layer);
int64_t countRemoved(const LayerState& layer);

/// The block rows and block columns of a sparse layer that may hold connections: all but those of removed
/// neurons, on both sides. Its positions are those of a smaller grid, row by row.
class Living {
 public:
  Living(const NetworkState& network, size_t layer);

  const Grid& grid() const { return grid_; }
  /// Whether nothing is removed.
  bool whole() const { return positions() == grid_.positions(); }
  int64_t positions() const { return static_cast<int64_t>(rows_.size() * columns_.size()); }
  bool hasRow(int64_t blockRow) const { return rowRank_[blockRow] >= 0; }
  bool hasColumn(int64_t blockColumn) const { return columnRank_[blockColumn] >= 0; }
  const Array<int32_t>& columns() const { return columns_; }

  /// From positions of the layer to those of the smaller grid, and back; order stays. Throws Error(Data) for
  /// a position that does not live.
  Array<int64_t> inside(std::span<const int64_t> positions) const;
  void outside(std::span<int64_t> positions) const;
  Grid smallerGrid() const;

 private:
  Grid grid_;
  Array<int32_t> rows_;
  Array<int32_t> columns_;
  /// -1 where removed.
  Array<int32_t> rowRank_;
  Array<int32_t> columnRank_;
};

}  // namespace espalier
