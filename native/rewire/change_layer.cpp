#include "rewire/change_layer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "rewire/move.h"

namespace espalier {

Array<int64_t> keptPositions(const Pattern& pattern, std::span<const int32_t> dropped) {
  Array<int64_t> positions = pattern.positions();
  size_t next = 0, kept = 0;
  for (size_t entry = 0; entry < positions.size(); ++entry) {
    if (next < dropped.size() && dropped[next] == static_cast<int32_t>(entry)) {
      ++next;
    } else {
      positions[kept++] = positions[entry];
    }
  }
  positions.resize(kept);
  return positions;
}

namespace {

/// Memory for what follows a pattern when it moves: one array for all of them where they keep their size,
/// since each leaves its own to the next; else one for each.
class Room {
 public:
  Room(Parameter& weight, int64_t size) : births_(weight.births.empty() ? 0 : size) {
    for (AlignedBuffer<float>* values : {&weight.values, &weight.first, &weight.second}) {
      if (values->empty()) continue;
      moving_.push_back(values);
      if (spare_.empty() || values->size() != size) spare_.emplace_back(size);
    }
  }

  /// Brings everything into the new order; allocates nothing.
  void move(const Move& move, int32_t blockSize, AlignedBuffer<int32_t>& births) {
    for (size_t i = 0; i < moving_.size(); ++i)
      moveValues(move, blockSize, *moving_[i], spare_[std::min(i, spare_.size() - 1)]);
    if (!births.empty()) moveValues(move, blockSize, births, births_);
  }

 private:
  std::vector<AlignedBuffer<float>*> moving_;
  std::vector<AlignedBuffer<float>> spare_;
  AlignedBuffer<int32_t> births_;
};

}  // namespace

LayerMoves changeLayer(LayerState& state, int64_t layer, Array<int32_t> dropped, Array<int64_t> grown,
                       const NewConnections& fresh) {
  Parameter& weight = state.weight;
  Move move = moveEntries(state.pattern, dropped, grown, fresh.returnedKeepState);
  require(!move.source.empty(), ErrorCode::Internal, "a rewiring that leaves a layer no connection");
  const int32_t blockSize = state.pattern.block().size();
  const LayerMoves moves{layer, static_cast<int64_t>(grown.size()) * blockSize, move.returned * blockSize};
  // What follows needs memory of its own; the lists have done their work.
  dropped = Array<int32_t>();
  grown = Array<int64_t>();
  Array<int32_t> begun;
  for (size_t entry = 0; entry < move.source.size(); ++entry) {
    if (move.source[entry] < 0) begun.push_back(static_cast<int32_t>(entry));
  }
  // Whatever may be refused comes before the first change.
  Room room(weight, checkedProduct(static_cast<int64_t>(move.source.size()), blockSize));
  state.pattern.replace(std::move(move.rowOffsets), std::move(move.columns));
  room.move(move, blockSize, weight.births);
  if (!weight.births.empty()) {
    for (const int32_t entry : begun)
      std::fill_n(weight.births.data() + int64_t{entry} * blockSize, blockSize, birthAfter(fresh.updates));
  }
  initializeNewWeights(state.pattern, begun, fresh.initialization, fresh.seed, weight.values.span());
  return moves;
}

}  // namespace espalier
