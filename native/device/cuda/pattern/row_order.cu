#include "device/cuda/pattern/row_order.h"

#include <algorithm>
#include <cub/device/device_radix_sort.cuh>

#include "base/error.h"
#include "device/cuda/base/launch.h"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 256;
/// Up to so many rows each is compared with every other, which is one launch; more are sorted.
constexpr int64_t kComparedRows = 32768;
/// Lengths are not negative.
constexpr int kKeyBits = 31;

/// Each row counts those that come before it.
__global__ void __launch_bounds__(kThreads) order(const int32_t* offsets, int32_t rows, int32_t* rowOrder) {
  __shared__ int32_t lengths[kThreads];
  const int64_t row = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int32_t own = row < rows ? offsets[row + 1] - offsets[row] : 0;
  int32_t rank = 0;
  for (int64_t tile = 0; tile < rows; tile += kThreads) {
    const int64_t other = tile + threadIdx.x;
    lengths[threadIdx.x] = other < rows ? offsets[other + 1] - offsets[other] : -1;
    __syncthreads();
    // Of equals those with a smaller number come first: all of an earlier tile, none of a later one.
    const auto equalsBefore = static_cast<int32_t>(std::clamp<int64_t>(row - tile, 0, kThreads));
#pragma unroll 16
    for (int32_t i = 0; i < kThreads; ++i) rank += lengths[i] > own - (i < equalsBefore ? 1 : 0) ? 1 : 0;
    __syncthreads();
  }
  if (row < rows) rowOrder[rank] = static_cast<int32_t>(row);
}

/// The longer a row, the smaller its key.
__global__ void __launch_bounds__(kThreads)
    makeKeys(const int32_t* offsets, int32_t rows, uint32_t* keys, int32_t* numbers) {
  const int64_t row = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (row >= rows) return;
  keys[row] = 0x7FFFFFFFu - static_cast<uint32_t>(offsets[row + 1] - offsets[row]);
  numbers[row] = static_cast<int32_t>(row);
}

/// Stable, so that of equals the smaller row comes first. Where `memory` is null, sets `bytes` to what is
/// needed there.
void sort(Context& context, RowOrderScratch& scratch, int32_t rows, void* memory, size_t& bytes,
          int32_t* rowOrder) {
  check(cub::DeviceRadixSort::SortPairs(memory, bytes, scratch.keys.data(), scratch.sortedKeys.data(),
                                        scratch.numbers.data(), rowOrder, rows, 0, kKeyBits,
                                        context.stream.get()),
        "sort rows");
}

}  // namespace

RowOrderScratch::RowOrderScratch(Context& context, int64_t rows, int64_t otherRows) {
  size_t most = 0;
  for (const int64_t count : {rows, otherRows}) {
    if (count <= kComparedRows) continue;
    size_t bytes = 0;
    sort(context, *this, static_cast<int32_t>(count), nullptr, bytes, nullptr);
    most = std::max(most, bytes);
  }
  if (most == 0) return;
  const int64_t size = std::max(rows, otherRows);
  keys = DeviceBuffer<uint32_t>(context.memory, size);
  sortedKeys = DeviceBuffer<uint32_t>(context.memory, size);
  numbers = DeviceBuffer<int32_t>(context.memory, size);
  passes = DeviceBuffer<unsigned char>(context.memory, static_cast<int64_t>(most));
}

void orderRows(Context& context, const int32_t* rowOffsets, int32_t rows, RowOrderScratch& scratch,
               int32_t* rowOrder) {
  const dim3 blocks(static_cast<unsigned>(divideUp(rows, kThreads)));
  if (rows <= kComparedRows) {
    launch(context, order, {blocks, kThreads, 0}, rowOffsets, rows, rowOrder);
    return;
  }
  launch(context, makeKeys, {blocks, kThreads, 0}, rowOffsets, rows, scratch.keys.data(),
         scratch.numbers.data());
  auto bytes = static_cast<size_t>(scratch.passes.bytes());
  sort(context, scratch, rows, scratch.passes.data(), bytes, rowOrder);
}

}  // namespace espalier::cuda
