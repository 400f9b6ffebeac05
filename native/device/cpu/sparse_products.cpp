#include "device/cpu/sparse_products.h"

#include <algorithm>

#include "base/caches.h"
#include "device/cpu/panels.h"

namespace espalier::cpu {
namespace {

constexpr int64_t kFloatBytes = sizeof(float);

constexpr int64_t kUsualFirstCache = int64_t{1} << 15;
constexpr int64_t kUsualSecondCache = int64_t{1} << 20;
constexpr int64_t kLargeSecondCache = int64_t{1} << 21;

/// The least and the most that a chunk takes for the first cache, which need not hold all of it: half of
/// twice as much is still found there.
struct FirstCache {
  int64_t leastChunk;
  int64_t mostChunk;
};

/// What a panel of inputs may take of the second cache before it is cut into chunks, what a chunk takes, and
/// what outputs take that stay there while they go through smaller chunks. Weights of more than the first
/// have to be asked for ahead.
struct SecondCache {
  int64_t whole;
  int64_t chunk;
  int64_t outputs;
  /// Whether fetching from beyond takes several times as long, as it was measured where this cache has 2 MiB
  /// and the third lies on a mesh (2.2 instead of 0.4 ns a line); with 1 MiB it took some twice as long.
  bool isFarFromNext;
};

/// A system that does not tell is taken to have the caches that this was measured with.
const FirstCache& firstCache() {
  static const int64_t bytes =
      std::clamp(cacheBytes(1, kUsualFirstCache), kUsualFirstCache / 2, kUsualFirstCache * 4);
  static const FirstCache shares{bytes / 2 * 3, bytes * 2};
  return shares;
}

const SecondCache& secondCache() {
  static const int64_t bytes =
      std::clamp(cacheBytes(2, kUsualSecondCache), kUsualSecondCache / 4, kLargeSecondCache);
  static const SecondCache shares{bytes / 4 * 3, bytes / 2, bytes / 4, bytes == kLargeSecondCache};
  return shares;
}

/// Inputs of a row in a chunk, for each of the row's outputs, from which on cutting pays.
constexpr int64_t kInputsOfChunk = 8;
constexpr int64_t kInputsOfChunkIfFar = 3;
/// Bytes of them from which on chunks for the first cache pay.
constexpr int64_t kBytesOfChunk = 9 << 10;
/// Inputs of a row from which on asking for them ahead pays.
constexpr int64_t kInputsToFetch = 32;
/// Gradients that go to the optimizer at once: so few that they never leave the first cache or, of rows that
/// walk chunks, enough for every input of a chunk to serve many of them; more where chunks are fetched from
/// beyond the second cache.
constexpr int64_t kGradientsAtOnce = int64_t{1} << 11;
constexpr int64_t kGradientsOfSmallChunks = int64_t{1} << 14;
constexpr int64_t kGradientsOfChunks = int64_t{1} << 17;
/// Rows of a matrix that threads take together at least.
constexpr int64_t kRowsTogether = 32;
/// Multiply-adds of a thread from which on it pays that others may take over some: some 20 microseconds.
constexpr int64_t kProductsToShare = int64_t{1} << 20;

/// Block columns of a chunk for the first cache; 0 where such chunks do not pay: where several outputs share
/// an input, and where rows have so few inputs in one that taking a row up and laying it down takes the time.
int64_t widthForFirstCache(const MatrixView& view, int64_t rows, int64_t columns, int64_t blockBytes) {
  if (view.blockOutputs > 1) return 0;
  const int64_t blocks = view.ends[rows - 1];
  const int64_t least =
      std::max(divideUp(kBytesOfChunk, blockBytes), divideUp(kInputsOfChunk, view.blockInputs));
  const int64_t needed = divideUp(least * rows * columns, std::max<int64_t>(1, blocks));
  const auto [leastChunk, mostChunk] = firstCache();
  return needed * blockBytes > mostChunk ? 0 : std::max(needed, leastChunk / blockBytes);
}

}  // namespace

ChunkedRows::ChunkedRows(const MatrixView& view, int64_t rows, int64_t columns, int64_t stride,
                         bool forFirstCache, int64_t entries)
    : columns_(columns),
      gradientsAtOnce_(kGradientsAtOnce),
      rows_(rows),
      fetchesInputs_(view.ends[rows - 1] * view.blockInputs >= rows * kInputsToFetch) {
  const int64_t blockBytes = view.blockInputs * stride * kFloatBytes;
  const int64_t blocks = view.ends[rows - 1];
  const auto [whole, chunkBytes, outputBytes, isFar] = secondCache();
  const int64_t weightBytes = blocks * view.blockOutputs * view.blockInputs * kFloatBytes;
  const int64_t small = forFirstCache ? widthForFirstCache(view, rows, columns, blockBytes) : 0;
  if (small > 0) {
    if (small >= columns) return;
    cut(view, small);
    // Asking costs more in rows as short as here, so only weights from far beyond that cache repay it.
    fetchesAhead_ = weightBytes > 4 * whole;
    fetchesInputs_ = false;  // most are near
    rowsAtOnce_ = roundUp(std::max<int64_t>(1, outputBytes / (stride * kFloatBytes)), kTileFeatures);
    gradientsAtOnce_ = columns * blockBytes <= whole ? kGradientsOfSmallChunks : kGradientsOfChunks;
    return;
  }
  int64_t width = columns * blockBytes <= whole ? columns : std::max<int64_t>(1, chunkBytes / blockBytes);
  if (blocks > entries) width = std::clamp<int64_t>(columns * entries / blocks, 1, width);
  if (width >= columns) return;
  // Outputs are fetched and stored once more for every chunk, which has to pay. Where several outputs share
  // an input, fetching inputs from near is not what takes the time, unless the values are looked up as well.
  const int64_t inputsOfChunk = blocks * view.blockInputs / (rows * divideUp(columns, width));
  const bool sharesInputs = view.blockOutputs > 1 && view.valueIndex == nullptr;
  if (sharesInputs && !isFar) return;
  if (inputsOfChunk < (isFar ? kInputsOfChunkIfFar : kInputsOfChunk) * view.blockOutputs) return;
  cut(view, width);
  fetchesAhead_ = weightBytes > whole;
  gradientsAtOnce_ = kGradientsOfChunks;
}

void ChunkedRows::cut(const MatrixView& view, int64_t width) {
  width_ = width;
  chunks_ = divideUp(columns_, width);
  rowsAtOnce_ = rows_;
  bounds_.resize(static_cast<size_t>((chunks_ + 1) * rows_));
  for (int64_t row = 0; row < rows_; ++row) {
    int64_t entry = view.begins[row];
    for (int64_t chunk = 0; chunk < chunks_; ++chunk) {
      bounds_[chunk * rows_ + row] = entry;
      while (entry < view.ends[row] && view.indices[entry] < (chunk + 1) * width) ++entry;
    }
    bounds_[chunks_ * rows_ + row] = entry;
  }
}

MatrixView ChunkedRows::restrict(MatrixView view, int64_t chunk) const {
  view.fetchInputs = fetchesInputs_;
  if (chunks_ > 1) {
    view.begins = bounds_.data() + chunk * rows_;
    view.ends = view.begins + rows_;
    // In a chunk each row would begin with a wait for its entries.
    view.fetchAhead = fetchesAhead_;
  }
  return view;
}

SparseProducts::SparseProducts(const Pattern& pattern, int64_t stride, int threads, bool narrow)
    : pattern_(&pattern) {
  const Grid& grid = pattern.grid();
  // Where values are looked up, and where inputs are bfloat16, fetching inputs takes too little of the time.
  forward_ =
      ChunkedRows(forwardView(pattern, nullptr), grid.blockRows(), grid.blockColumns(), stride, !narrow);
  const MatrixView transpose = transposeView(pattern, nullptr);
  // In bfloat16 both products at once gain nothing where chunks are fetched from beyond the second cache.
  const bool manySingle = !narrow && grid.block.size() == 1 && pattern.values() > kManyWeights;
  transposed_ =
      manySingle ? ChunkedRows(transpose, grid.blockColumns(), grid.blockRows(), stride, false, kManyWeights)
                 : ChunkedRows(transpose, grid.blockColumns(), grid.blockRows(), stride, false);
  const RowShares rows(pattern.rowOffsets(), grid.block.size(), threads);
  const RowShares columns(pattern.columnOffsets(), grid.block.size(), threads,
                          blocksOfUnit(grid.block.columns));
  const bool repays = pattern.values() * stride >= threads * kProductsToShare;
  // Rows that walk chunks together do so for the sake of being many.
  const auto unit = [&](const ChunkedRows& chunked, int64_t height) {
    if (!repays || chunked.chunks() > 1) return int64_t{0};
    return roundUp(std::max<int64_t>(1, kRowsTogether / height), blocksOfUnit(height));
  };
  const bool scatters = grid.block == BlockShape{4, 1};
  forwardRows_ = SharedRows(rows, threads, unit(forward_, grid.block.rows));
  gradientRows_ = SharedRows(rows, threads, unit(forward_, grid.block.rows));
  columns_ = SharedRows(columns, threads, scatters ? 0 : unit(transposed_, grid.block.columns));
  const auto& offsets = pattern.rowOffsets();
  for (int64_t row = 0, end = 0; row < grid.blockRows(); ++row) {
    end = endOfRun(row, grid.blockRows(), end);
    longestRun_ = std::max(longestRun_, (offsets[end] - offsets[row]) * grid.block.size());
  }
  if (!manySingle || transposed_.chunks() == 1) return;
  for (int64_t chunk = 0; chunk < transposed_.chunks(); ++chunk)
    chunkGradients_ = std::max(chunkGradients_, entriesOf(chunk).size());
}

int64_t SparseProducts::endOfRun(int64_t row, int64_t end, int64_t least) const {
  const auto& offsets = pattern_->rowOffsets();
  const auto gradients = [&](int64_t next) {
    return (offsets[next] - offsets[row]) * pattern_->block().size();
  };
  int64_t next = std::max(row + 1, least);
  while (next < end && gradients(next) < forward_.gradientsAtOnce()) ++next;
  return next;
}

void SparseProducts::scatter(const Kernels& kernels, const float* values, const float* input, float* output,
                             int64_t stride, Range blockColumns) const {
  std::fill_n(output, blockColumns.size() * stride, 0.0f);
  kernels.spmmScatter(forwardView(*pattern_, values), input, output, stride, pattern_->grid().blockRows(),
                      blockColumns);
}

}  // namespace espalier::cpu
