#include "device/cuda/pattern/views.h"

#include "base/error.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/base/shared_memory.cuh"
#include "device/cuda/pattern/bit_window.cuh"
#include "device/cuda/pattern/scan.h"
#include "device/cuda/pattern/search.cuh"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kColumnThreads = 128;

unsigned blocksFor(int64_t work, int64_t each) {
  return static_cast<unsigned>(divideUp(work, each));
}

__global__ void __launch_bounds__(kThreads) count(CsrArrays csr, int32_t* counts) {
  const int64_t entry = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (entry < csr.entries) atomicAdd(&counts[csr.indices[entry]], 1);
}

/// A warp a row: brings each entry's row into its column's stretch, in any order.
__global__ void __launch_bounds__(kThreads) scatterRows(CsrArrays csr, int32_t* cursor, int32_t* rows) {
  const int64_t row = (int64_t{blockIdx.x} * kThreads + threadIdx.x) / 32;
  if (row >= csr.rows) return;
  const int32_t end = csr.offsets[row + 1];
  for (int32_t entry = csr.offsets[row] + static_cast<int32_t>(threadIdx.x % 32); entry < end; entry += 32) {
    rows[atomicAdd(&cursor[csr.indices[entry]], 1)] = static_cast<int32_t>(row);
  }
}

/// A block a column: the rows in transpose.valueIndex go to transpose.rows in order, and each gives way to
/// the entry that it stands for.
__global__ void __launch_bounds__(kColumnThreads)
    sortColumns(CsrArrays csr, TransposeArrays transpose, int32_t words) {
  const auto column = static_cast<int32_t>(blockIdx.x);
  const auto thread = static_cast<int32_t>(threadIdx.x);
  const int32_t begin = transpose.offsets[column], end = transpose.offsets[column + 1];
  if (begin == end) return;
  uint32_t* const bits = dynamicShared<uint32_t>();
  auto* const before = reinterpret_cast<int32_t*>(bits + words);

  int32_t next = begin;
  for (int64_t first = 0; first < csr.rows; first += int64_t{words} * 32) {
    for (int32_t w = thread; w < words; w += kColumnThreads) bits[w] = 0;
    __syncthreads();
    for (int32_t i = begin + thread; i < end; i += kColumnThreads) {
      mark(bits, words, first, transpose.valueIndex[i]);
    }
    __syncthreads();
    const int32_t found = countBits<kColumnThreads>(
        words, [&](int32_t w) { return bits[w]; }, before);
    for (int32_t w = thread; w < words; w += kColumnThreads) {
      int32_t slot = next + before[w];
      for (uint32_t rest = bits[w]; rest != 0; rest &= rest - 1) {
        transpose.rows[slot++] = static_cast<int32_t>(first) + w * 32 + __ffs(static_cast<int>(rest)) - 1;
      }
    }
    next += found;
    __syncthreads();
  }
  for (int32_t i = begin + thread; i < end; i += kColumnThreads) {
    const int32_t row = transpose.rows[i];
    transpose.valueIndex[i] = lowerBound(csr.indices, csr.offsets[row], csr.offsets[row + 1], column);
  }
}

__global__ void __launch_bounds__(kThreads)
    chunks(CsrArrays csr, int32_t chunkColumns, int32_t boundaries, int32_t* chunkOffsets) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= int64_t{boundaries} * csr.rows) return;
  const auto row = static_cast<int32_t>(i % csr.rows);
  const int64_t column = i / csr.rows * chunkColumns;
  const int32_t begin = csr.offsets[row], end = csr.offsets[row + 1];
  chunkOffsets[i] =
      column >= csr.columns ? end : lowerBound(csr.indices, begin, end, static_cast<int32_t>(column));
}

}  // namespace

void countColumns(Context& context, const CsrArrays& csr, int32_t* columnOffsets, int32_t* cursor) {
  check(cudaMemsetAsync(columnOffsets, 0, static_cast<size_t>(csr.columns) * sizeof(int32_t),
                        context.stream.get()),
        "clear memory of the GPU");
  launch(context, count, {blocksFor(csr.entries, kThreads), kThreads, 0}, csr, columnOffsets);
  scanCounts(context, columnOffsets, csr.columns, columnOffsets, cursor);
}

void buildTransposeView(Context& context, const CsrArrays& csr, const TransposeArrays& transpose,
                        int32_t* cursor) {
  countColumns(context, csr, transpose.offsets, cursor);
  launch(context, scatterRows, {blocksFor(csr.rows, kThreads / 32), kThreads, 0}, csr, cursor,
         transpose.valueIndex);
  const int32_t words = windowWords(csr.rows);
  launch(context, sortColumns, {static_cast<unsigned>(csr.columns), kColumnThreads, int64_t{words} * 8}, csr,
         transpose, words);
}

void findChunks(Context& context, const CsrArrays& csr, int32_t chunkColumns, int32_t* chunkOffsets) {
  const auto boundaries = static_cast<int32_t>(divideUp(csr.columns, chunkColumns)) + 1;
  launch(context, chunks, {blocksFor(int64_t{boundaries} * csr.rows, kThreads), kThreads, 0}, csr,
         chunkColumns, boundaries, chunkOffsets);
}

}  // namespace espalier::cuda
