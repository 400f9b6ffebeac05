#include "device/cuda/rewire/drop.h"

#include "device/cuda/base/launch.h"
#include "device/cuda/pattern/scan.h"
#include "device/cuda/rewire/select.cuh"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 256;

template <int kinds>
struct DropKeys {
  static constexpr int kKinds = kinds;
  DropView view;

  __device__ int64_t size() const { return view.entries; }
  __device__ bool read(int64_t i, int& kind, Key& key) const {
    const uint32_t bits = view.sizes[i];
    kind = view.kindOf(bits);
    key = view.keyOf(bits, static_cast<int32_t>(i));
    return true;
  }
  __device__ bool admits(int64_t) const { return true; }
};

/// In double, one weight after the other, and rounded once: the same number on every device.
__global__ void __launch_bounds__(kThreads)
    sumSquares(const float* values, int32_t entries, int32_t blockSize, float* sums) {
  const int64_t entry = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (entry >= entries) return;
  const float* const block = values + entry * blockSize;
  double sum = 0;
#pragma unroll 4
  for (int32_t i = 0; i < blockSize; ++i) sum += double{block[i]} * double{block[i]};
  sums[entry] = static_cast<float>(sum);
}

/// A warp a row.
__global__ void __launch_bounds__(kThreads)
    countKept(DropView view, const int32_t* rowOffsets, int32_t rows, int32_t* kept) {
  const int64_t row = (int64_t{blockIdx.x} * kThreads + threadIdx.x) / 32;
  if (row >= rows) return;
  const auto lane = static_cast<int32_t>(threadIdx.x % 32);
  const int32_t end = rowOffsets[row + 1];
  int32_t count = 0;
  for (int32_t entry = rowOffsets[row] + lane; entry < end; entry += 32) count += view.drops(entry) ? 0 : 1;
  for (int distance = 16; distance > 0; distance /= 2) {
    count += __shfl_xor_sync(0xFFFFFFFFu, count, distance);
  }
  if (lane == 0) kept[row] = count;
}

}  // namespace

Drops selectDrops(Context& context, const DevicePattern& pattern, const float* values, DropRule rule,
                  double fraction, RewireState& state) {
  const int32_t entries = pattern.entries(), blockSize = pattern.grid().block.size();
  const auto rows = static_cast<int32_t>(pattern.grid().blockRows());
  Drops drops;
  const float* sizes = values;
  if (blockSize != 1) {
    drops.sizes = DeviceBuffer<float>(context.memory, entries);
    launch(context, sumSquares, {static_cast<unsigned>(divideUp(entries, kThreads)), kThreads, 0}, values,
           entries, blockSize, drops.sizes.data());
    sizes = drops.sizes.data();
  }
  Selection* const selections = state.progress.data()->dropped;
  const bool bySign = rule == DropRule::BySign && blockSize == 1;
  drops.view = {reinterpret_cast<const uint32_t*>(sizes), selections, entries, bySign};
  const Demand demand{nullptr, fraction};
  if (bySign) {
    select(context, DropKeys<2>{drops.view}, entries, bitsOf(entries), demand, state.histogram.data(),
           selections);
  } else {
    select(context, DropKeys<1>{drops.view}, entries, bitsOf(entries), demand, state.histogram.data(),
           selections);
  }

  drops.keptOffsets = DeviceBuffer<int32_t>(context.memory, int64_t{rows} + 1);
  launch(context, countKept, {static_cast<unsigned>(divideUp(rows, kThreads / 32)), kThreads, 0}, drops.view,
         pattern.rowOffsets(), rows, drops.keptOffsets.data());
  scanCounts(context, drops.keptOffsets.data(), rows, drops.keptOffsets.data(), nullptr);
  return drops;
}

}  // namespace espalier::cuda
