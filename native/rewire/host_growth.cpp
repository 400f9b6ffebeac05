#include "rewire/host_growth.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/random.h"
#include "rewire/grow.h"

namespace espalier {
namespace {

void checkRoom(const Living& living, std::span<const int64_t> kept, int64_t count) {
  const int64_t room = living.positions() - static_cast<int64_t>(kept.size());
  require(
      count >= 0 && count <= room, ErrorCode::Option,
      std::to_string(count) + " new connections do not fit into " + std::to_string(room) + " free positions");
}

void checkFound(const Array<int64_t>& grown, int64_t count) {
  require(static_cast<int64_t>(grown.size()) == count, ErrorCode::Diverged,
          "the gradient of a layer is no longer a number; a smaller learning rate may help");
}

/// Calls offer(size of the gradient, position) for every position that lives and is not kept, ascending.
template <typename Offer>
void overFree(const Living& living, std::span<const int64_t> kept, const ReadGradient& gradient, size_t layer,
              const Offer& offer) {
  const Grid& grid = living.grid();
  auto next = kept.begin();
  overGradient(gradient, layer, grid, [&](const GradientPanel& panel) {
    const int64_t first = panel.firstRow / grid.block.rows;
    const int64_t end = first + divideUp(panel.rows, grid.block.rows);
    for (int64_t row = first; row < end; ++row) {
      if (!living.hasRow(row)) continue;
      for (const int32_t column : living.columns()) {
        const int64_t position = row * grid.blockColumns() + column;
        if (next != kept.end() && *next == position) {
          ++next;
        } else {
          offer(gradientSize(panel, grid, row, column), position);
        }
      }
    }
  });
}

/// A number that is not negative and falls as the size grows; NaN stays NaN.
float reversed(float size) {
  if (size != size) return size;
  const auto largest = std::bit_cast<uint32_t>(std::numeric_limits<float>::infinity());
  return std::bit_cast<float>(largest - std::bit_cast<uint32_t>(size));
}

}  // namespace

Array<int64_t> growAtRandom(const Living& living, std::span<const int64_t> kept, int64_t count,
                            uint64_t seed) {
  if (living.whole()) return growAtRandom(living.grid(), kept, count, seed);
  Array<int64_t> grown = growAtRandom(living.smallerGrid(), living.inside(kept), count, seed);
  living.outside(grown);
  return grown;
}

Array<int64_t> growByGradient(const Living& living, std::span<const int64_t> kept, int64_t count,
                              const ReadGradient& gradient, size_t layer) {
  checkRoom(living, kept, count);
  if (count == 0) return {};
  TopPositions best(count);
  overFree(living, kept, gradient, layer, [&](float size, int64_t position) { best.offer(size, position); });
  Array<int64_t> grown = best.finish();
  checkFound(grown, count);
  return grown;
}

Array<int64_t> growAgainstGradient(const Living& living, std::span<const int64_t> kept, int64_t count,
                                   const ReadGradient& gradient, size_t layer, uint64_t seed) {
  checkRoom(living, kept, count);
  if (count == 0) return {};
  // Of equals the smaller number wins, so positions go in under numbers that say nothing of where they lie:
  // neurons that are dead have gradients of 0 by the thousand.
  const Feistel order(static_cast<uint64_t>(living.grid().positions()), seed);
  TopPositions best(count);
  overFree(living, kept, gradient, layer, [&](float size, int64_t position) {
    best.offer(reversed(size), static_cast<int64_t>(order(static_cast<uint64_t>(position))));
  });
  Array<int64_t> grown = best.finish();
  checkFound(grown, count);
  for (int64_t& position : grown) {
    position = static_cast<int64_t>(order.rankOf(static_cast<uint64_t>(position)));
  }
  std::ranges::sort(grown);
  return grown;
}

}  // namespace espalier
