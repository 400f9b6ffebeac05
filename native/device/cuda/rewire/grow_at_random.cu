#include "device/cuda/rewire/grow_at_random.h"

#include "base/random.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/pattern/scan.h"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 256;

/// The inactive positions of a layer, row by row.
struct Inactive {
  const int32_t* keptOffsets;
  int32_t rows;
  int64_t columns;
  uint64_t seed;
  const Progress* progress;

  __device__ int64_t before(int32_t row) const { return row * columns - keptOffsets[row]; }

  /// The row of the i-th position drawn, and its rank among the inactive positions of that row; false where
  /// fewer are drawn.
  __device__ bool draw(int64_t i, int32_t& row, int32_t& rank) const {
    if (i >= progress->droppedCount()) return false;
    const Feistel shuffle(static_cast<uint64_t>(before(rows)), seed);
    const auto drawn = static_cast<int64_t>(shuffle(static_cast<uint64_t>(i)));
    int32_t begin = 0, end = rows;
    while (begin < end) {
      const int32_t middle = begin + (end - begin) / 2;
      if (before(middle + 1) <= drawn) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    row = begin;
    rank = static_cast<int32_t>(drawn - before(begin));
    return true;
  }
};

__global__ void __launch_bounds__(kThreads) countDraws(Inactive inactive, int32_t* counts) {
  int32_t row = 0, rank = 0;
  if (inactive.draw(int64_t{blockIdx.x} * kThreads + threadIdx.x, row, rank)) atomicAdd(&counts[row], 1);
}

/// Draws again: cheaper than memory to remember by.
__global__ void __launch_bounds__(kThreads) scatterDraws(Inactive inactive, int32_t* cursor, int32_t* items) {
  int32_t row = 0, rank = 0;
  if (inactive.draw(int64_t{blockIdx.x} * kThreads + threadIdx.x, row, rank)) {
    items[atomicAdd(&cursor[row], 1)] = rank;
  }
}

}  // namespace

Grown growAtRandom(Context& context, const DevicePattern& pattern, const Drops& drops, int64_t most,
                   uint64_t seed, RewireState& state) {
  const auto rows = static_cast<int32_t>(pattern.grid().blockRows());
  Grown grown{DeviceBuffer<int32_t>(context.memory, int64_t{rows} + 1),
              DeviceBuffer<int32_t>(context.memory, most), true};
  DeviceBuffer<int32_t> cursor(context.memory, rows);
  const Inactive inactive{drops.keptOffsets.data(), rows, pattern.grid().blockColumns(), seed,
                          state.progress.data()};
  const auto blocks = static_cast<unsigned>(divideUp(most, kThreads));
  grown.offsets.clear();
  launch(context, countDraws, {blocks, kThreads, 0}, inactive, grown.offsets.data());
  scanCounts(context, grown.offsets.data(), rows, grown.offsets.data(), cursor.data());
  launch(context, scatterDraws, {blocks, kThreads, 0}, inactive, cursor.data(), grown.items.data());
  return grown;
}

}  // namespace espalier::cuda
