#include "rewire/exploration.h"

#include <bit>

namespace espalier {
namespace {

constexpr const char* kExplored = "explored";
constexpr int64_t kBits = 32;

int64_t wordsOf(const LayerState& layer) {
  return divideUp(layer.pattern.grid().positions(), kBits);
}

}  // namespace

void markExplored(NetworkState& network) {
  for (LayerState& layer : network.layers) {
    if (!layer.isSparse()) continue;
    AlignedBuffer<int32_t>& words = layer.memory.make(kExplored, wordsOf(layer));
    const Pattern& pattern = layer.pattern;
    for (int64_t row = 0; row < pattern.grid().blockRows(); ++row) {
      for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry) {
        const int64_t position = row * pattern.grid().blockColumns() + pattern.columns()[entry];
        const uint32_t bit = uint32_t{1} << (position % kBits);
        int32_t& word = words[position / kBits];
        word = static_cast<int32_t>(static_cast<uint32_t>(word) | bit);
      }
    }
  }
}

std::optional<double> explorationOf(const LayerState& layer) {
  if (!layer.isSparse()) return std::nullopt;
  const AlignedBuffer<int32_t>* const words = layer.memory.find(kExplored, wordsOf(layer));
  if (words == nullptr) return std::nullopt;
  int64_t explored = 0;
  for (const int32_t word : words->span()) explored += std::popcount(static_cast<uint32_t>(word));
  return static_cast<double>(explored) / static_cast<double>(layer.pattern.grid().positions());
}

}  // namespace espalier
