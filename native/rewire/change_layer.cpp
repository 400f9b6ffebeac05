#include "rewire/change_layer.h"

#include <algorithm>
#include <numeric>
#include <utility>

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
  state.pattern.replace(std::move(move.rowOffsets), std::move(move.columns));
  AlignedBuffer<float> spare;
  for (AlignedBuffer<float>* values : {&weight.values, &weight.first, &weight.second}) {
    if (!values->empty()) moveValues(move, blockSize, *values, spare);
  }
  initializeNewWeights(state.pattern, begun, fresh.initialization, fresh.seed, weight.values.span());
  if (!weight.births.empty()) {
    AlignedBuffer<int32_t> spareBirths;
    moveValues(move, blockSize, weight.births, spareBirths);
    for (const int32_t entry : begun) {
      std::fill_n(weight.births.data() + int64_t{entry} * blockSize, blockSize,
                  static_cast<int32_t>(fresh.updates));
    }
  }
  return moves;
}

LayerMoves replacePattern(LayerState& state, int64_t layer, std::span<const int64_t> positions,
                          const NewConnections& fresh) {
  Array<int32_t> all(static_cast<size_t>(state.pattern.entries()));
  std::iota(all.begin(), all.end(), 0);
  return changeLayer(state, layer, std::move(all), {positions.begin(), positions.end()}, fresh);
}

}  // namespace espalier
