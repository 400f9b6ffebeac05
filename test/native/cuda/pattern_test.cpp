#include "device/cuda/pattern/device_pattern.h"

#include <algorithm>
#include <numeric>

#include "support.h"

namespace espalier::cuda::test {
namespace {

template <typename T>
std::vector<T> read(const Context& context, const T* data, int64_t size) {
  std::vector<T> values(static_cast<size_t>(size));
  if (size == 0) return values;
  check(cudaMemcpyAsync(values.data(), data, values.size() * sizeof(T), cudaMemcpyDeviceToHost,
                        context.stream.get()),
        "copy from the GPU");
  context.stream.synchronize();
  return values;
}

template <typename Left, typename Right>
bool same(const Left& left, const Right& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

/// Rows by length, most first.
template <typename Offsets>
std::vector<int32_t> orderOf(const Offsets& offsets) {
  std::vector<int32_t> order(offsets.size() - 1);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return offsets[a + 1] - offsets[a] > offsets[b + 1] - offsets[b];
  });
  return order;
}

template <typename Offsets, typename Indices>
std::vector<int32_t> chunksOf(const Offsets& offsets, const Indices& indices, int64_t columns,
                              int32_t chunkColumns) {
  std::vector<int32_t> result;
  for (int64_t chunk = 0; chunk <= divideUp(columns, chunkColumns); ++chunk) {
    for (size_t row = 0; row + 1 < offsets.size(); ++row) {
      int64_t place = offsets[row];
      while (place < offsets[row + 1] && indices[place] < chunk * chunkColumns) ++place;
      result.push_back(static_cast<int32_t>(place));
    }
  }
  return result;
}

void expectViews(const Context& context, const DevicePattern& device, const Pattern& host, int32_t chunk,
                 int32_t transposeChunk, const std::string& what) {
  const int64_t rows = host.grid().blockRows(), columns = host.grid().blockColumns();
  const float* const values = nullptr;
  const SparseView forward = device.forwardView(values), transpose = device.transposeView(values);
  expect(same(read(context, forward.offsets, rows + 1), host.rowOffsets()), what + ": row offsets");
  expect(same(read(context, forward.indices, host.entries()), host.columns()), what + ": columns");
  expect(same(read(context, transpose.offsets, columns + 1), host.columnOffsets()),
         what + ": column offsets");
  expect(same(read(context, transpose.indices, host.entries()), host.rows()), what + ": rows");
  expect(same(read(context, transpose.valueIndex, host.entries()), host.valueIndex()),
         what + ": value index");
  expect(same(read(context, forward.order, rows), orderOf(host.rowOffsets())), what + ": row order");
  expect(same(read(context, transpose.order, columns), orderOf(host.columnOffsets())),
         what + ": column order");
  if (chunk != 0) {
    const auto expected = chunksOf(host.rowOffsets(), host.columns(), columns, chunk);
    const ChunkOffsets chunks = device.forwardChunks();
    expect(same(read(context, chunks.offsets, static_cast<int64_t>(expected.size())), expected),
           what + ": chunks");
    expect(chunks.chunks == divideUp(columns, chunk) && chunks.chunkColumns == chunk, what + ": chunk sizes");
  }
  if (transposeChunk != 0) {
    const auto expected = chunksOf(host.columnOffsets(), host.rows(), rows, transposeChunk);
    expect(same(read(context, device.transposeChunks().offsets, static_cast<int64_t>(expected.size())),
                expected),
           what + ": chunks of the transpose view");
  }
}

TEST("pattern: views made on the card equal the host's") {
  Context context;
  struct Case {
    Grid grid;
    double density;
    int32_t chunk, transposeChunk;
  };
  const std::vector<Case> cases{
      {{1, 1, {1, 1}}, 1.0, 1, 1},
      {{1, 700, {1, 1}}, 0.3, 64, 1},
      {{700, 1, {1, 1}}, 0.3, 1, 64},
      {{37, 53, {1, 1}}, 0.2, 8, 16},
      {{300, 290, {1, 1}}, 0.05, 0, 0},
      {{64, 64, {1, 1}}, 1.0, 100, 7},
      {{50, 70, {4, 1}}, 0.3, 16, 4},
      {{41, 43, {3, 5}}, 0.4, 3, 2},
      {{100, 100, {16, 16}}, 0.5, 2, 3},
      // Several windows of the bitmap in the longer direction.
      {{3, 17000, {1, 1}}, 0.01, 4096, 2},
      {{17000, 3, {1, 1}}, 0.01, 2, 4096},
      // So many rows that they are sorted.
      {{2, 33000, {1, 1}}, 0.5, 0, 0},
      {{33000, 2, {1, 1}}, 0.5, 0, 0},
  };
  uint64_t seed = 1;
  for (const Case& each : cases) {
    const Pattern host = raggedPattern(each.grid, each.density, seed++);
    const DevicePattern device(context, host, each.chunk, each.transposeChunk);
    const std::string what = std::to_string(each.grid.rows) + " x " + std::to_string(each.grid.columns);
    expectViews(context, device, host, each.chunk, each.transposeChunk, what);
    Pattern back = raggedPattern(each.grid, each.density / 2, seed);
    device.download(back);
    expect(same(back.rowOffsets(), host.rowOffsets()) && same(back.columns(), host.columns()) &&
               same(back.rows(), host.rows()),
           what + ": download");
  }
}

TEST("pattern: other entries in the same arrays") {
  Context context;
  const Grid grid{90, 110, {1, 1}};
  const Pattern first = raggedPattern(grid, 0.2, 3);
  // The same rows in another order, so that there are as many entries.
  Array<int64_t> offsets{0};
  Array<int32_t> columns;
  for (int64_t row = grid.rows - 1; row >= 0; --row) {
    columns.insert(columns.end(), first.columns().begin() + first.rowOffsets()[row],
                   first.columns().begin() + first.rowOffsets()[row + 1]);
    offsets.push_back(static_cast<int64_t>(columns.size()));
  }
  const Pattern second(grid, offsets, columns);
  DevicePattern device(context, first, 32, 16);
  const SparseView before = device.transposeView(nullptr);
  const std::vector<int32_t> newOffsets(offsets.begin(), offsets.end());
  check(cudaMemcpyAsync(device.rowOffsets(), newOffsets.data(), newOffsets.size() * sizeof(int32_t),
                        cudaMemcpyHostToDevice, context.stream.get()),
        "copy to the GPU");
  check(cudaMemcpyAsync(device.columns(), columns.data(), columns.size() * sizeof(int32_t),
                        cudaMemcpyHostToDevice, context.stream.get()),
        "copy to the GPU");
  // What the views held must not matter.
  const DevicePattern::Loan loan = device.lendTransposeView();
  check(cudaMemsetAsync(loan.first, 0xFF, columns.size() * sizeof(int32_t), context.stream.get()), "fill");
  check(cudaMemsetAsync(loan.second, 0xFF, columns.size() * sizeof(int32_t), context.stream.get()), "fill");
  const int64_t used = context.memory.used();
  device.rebuildViews(context);
  expectViews(context, device, second, 32, 16, "other entries");
  const SparseView after = device.transposeView(nullptr);
  expect(before.offsets == after.offsets && before.indices == after.indices &&
             before.valueIndex == after.valueIndex && before.order == after.order,
         "arrays keep their places");
  expect(context.memory.used() == used, "no memory stays taken");
  Pattern host = first;
  device.download(host);
  expect(same(host.columns(), second.columns()) && same(host.valueIndex(), second.valueIndex()),
         "the host's pattern takes them");
}

}  // namespace
}  // namespace espalier::cuda::test
