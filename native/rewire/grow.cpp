#include "rewire/grow.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "base/random.h"

namespace espalier {
namespace {

/// Sorts distinct positions by counting, 11 bits at a time from the lowest: several times faster than
/// comparing.
void sortPositions(Array<int64_t>& positions) {
  if (positions.empty()) return;
  constexpr int kBits = 11;
  constexpr int64_t kMask = (int64_t{1} << kBits) - 1;
  const int64_t largest = *std::max_element(positions.begin(), positions.end());
  Array<int64_t> other(positions.size());
  for (int shift = 0; (largest >> shift) != 0; shift += kBits) {
    std::array<size_t, kMask + 2> offsets{};
    for (const int64_t position : positions) ++offsets[((position >> shift) & kMask) + 1];
    for (size_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
    for (const int64_t position : positions) other[offsets[(position >> shift) & kMask]++] = position;
    positions.swap(other);
  }
}

}  // namespace

Array<int64_t> growAtRandom(const Grid& grid, std::span<const int64_t> kept, int64_t count, uint64_t seed) {
  const int64_t inactive = grid.positions() - static_cast<int64_t>(kept.size());
  require(count >= 0 && count <= inactive, ErrorCode::Option,
          std::to_string(count) + " new connections do not fit into " + std::to_string(inactive) +
              " free positions");
  const Feistel shuffle(static_cast<uint64_t>(inactive), seed);
  Array<int64_t> grown(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) grown[i] = static_cast<int64_t>(shuffle(static_cast<uint64_t>(i)));
  sortPositions(grown);

  // kept[i] - i inactive positions lie before kept[i], so a rank lies behind the kept ones with kept[i] - i
  // <= rank. Ranks ascend, so each search starts where the last one ended.
  int64_t before = 0;
  for (int64_t& position : grown) {
    const int64_t rank = position;
    int64_t end = static_cast<int64_t>(kept.size());
    while (before < end) {
      const int64_t middle = before + (end - before) / 2;
      if (kept[middle] - middle <= rank) {
        before = middle + 1;
      } else {
        end = middle;
      }
    }
    position = rank + before;
  }
  return grown;
}

TopPositions::TopPositions(int64_t count)
    : count_(count),
      capacity_(std::max<size_t>(2 * static_cast<size_t>(count), 4096)),
      worstPosition_(std::numeric_limits<int64_t>::max()) {
  require(count >= 0, ErrorCode::Internal, "a negative number of positions to keep");
  // Nothing can win where nothing is kept: no magnitude reaches NaN.
  if (count == 0) threshold_ = std::numeric_limits<float>::quiet_NaN();
}

void TopPositions::consider(const Candidate& candidate) {
  if (candidate.magnitude == threshold_ && candidate.position > worstPosition_) return;
  candidates_.push_back(candidate);
  if (candidates_.size() >= capacity_) reduce();
}

void TopPositions::reduce() {
  if (static_cast<int64_t>(candidates_.size()) <= count_) return;
  const auto worst = candidates_.begin() + (count_ - 1);
  std::nth_element(candidates_.begin(), worst, candidates_.end(), wins);
  threshold_ = worst->magnitude;
  worstPosition_ = worst->position;
  candidates_.resize(static_cast<size_t>(count_));
}

void TopPositions::merge(TopPositions&& other) {
  for (const Candidate& candidate : other.candidates_) offer(candidate.magnitude, candidate.position);
  other.candidates_.clear();
}

Array<int64_t> TopPositions::finish() {
  reduce();
  Array<int64_t> positions;
  positions.reserve(candidates_.size());
  for (const Candidate& candidate : candidates_) positions.push_back(candidate.position);
  candidates_.clear();
  sortPositions(positions);
  return positions;
}

}  // namespace espalier
