#include "device/cpu/sparse_products.h"

#include <algorithm>

#include "base/caches.h"

namespace espalier::cpu {
namespace {

constexpr int64_t kUsualSecondCache = int64_t{1} << 20;

/// What a panel of inputs may take of the second cache before it is cut into chunks, and what a chunk takes.
/// Weights of more than the former have to be asked for ahead.
struct SecondCache {
  int64_t whole;
  int64_t chunk;
};

/// A system that does not tell is taken to have the cache that this was measured with.
const SecondCache& secondCache() {
  static const int64_t bytes =
      std::clamp(cacheBytes(2, kUsualSecondCache), kUsualSecondCache / 4, kUsualSecondCache * 2);
  static const SecondCache shares{bytes / 4 * 3, bytes / 2};
  return shares;
}

/// Inputs of a row in a chunk, for each of the row's outputs, from which on cutting pays.
constexpr int64_t kInputsOfChunk = 8;
/// Inputs of a row from which on asking for them ahead pays.
constexpr int64_t kInputsToFetch = 32;
/// Gradients that go to the optimizer at once, so that they never leave the first cache.
constexpr int64_t kGradientsAtOnce = 2048;
/// The same of rows that walk chunks: enough for every input of a chunk to serve many of them.
constexpr int64_t kGradientsOfChunks = int64_t{1} << 17;

}  // namespace

ChunkedRows::ChunkedRows(const MatrixView& view, int64_t rows, int64_t columns, int64_t stride)
    : rows_(rows), fetchesInputs_(view.ends[rows - 1] * view.blockInputs >= rows * kInputsToFetch) {
  const int64_t blockBytes = view.blockInputs * stride * static_cast<int64_t>(sizeof(float));
  const auto [whole, chunkBytes] = secondCache();
  if (columns * blockBytes <= whole) return;
  const int64_t width = std::max<int64_t>(1, chunkBytes / blockBytes);
  const int64_t chunks = divideUp(columns, width);
  // Outputs are fetched and stored once more for every chunk, which has to pay. Where several outputs share
  // an input, fetching inputs is no longer what takes the time, unless the values are looked up as well.
  const int64_t inputsOfChunk = view.ends[rows - 1] * view.blockInputs / (rows * chunks);
  const bool sharesInputs = view.blockOutputs > 1 && view.valueIndex == nullptr;
  if (sharesInputs || inputsOfChunk < kInputsOfChunk * view.blockOutputs) return;

  chunks_ = chunks;
  const int64_t weights = view.ends[rows - 1] * view.blockOutputs * view.blockInputs;
  fetchesAhead_ = weights * static_cast<int64_t>(sizeof(float)) > whole;
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

SparseProducts::SparseProducts(const Pattern& pattern, int64_t stride, int threads)
    : pattern_(&pattern),
      rowShares_(pattern.rowOffsets(), pattern.block().size(), threads),
      columnShares_(pattern.columnOffsets(), pattern.block().size(), threads) {
  const Grid& grid = pattern.grid();
  forward_ = ChunkedRows(forwardView(pattern, nullptr), grid.blockRows(), grid.blockColumns(), stride);
  transposed_ = ChunkedRows(transposeView(pattern, nullptr), grid.blockColumns(), grid.blockRows(), stride);
  for (int64_t row = 0; row < grid.blockRows(); ++row) {
    const int64_t end = endOfRun(row, grid.blockRows());
    longestRun_ =
        std::max(longestRun_, (pattern.rowOffsets()[end] - pattern.rowOffsets()[row]) * grid.block.size());
  }
}

int64_t SparseProducts::endOfRun(int64_t row, int64_t end) const {
  const int64_t most = forward_.chunks() > 1 ? kGradientsOfChunks : kGradientsAtOnce;
  const auto& offsets = pattern_->rowOffsets();
  int64_t next = row + 1;
  while (next < end && (offsets[next] - offsets[row]) * pattern_->block().size() < most) ++next;
  return next;
}

void SparseProducts::scatter(const Kernels& kernels, const float* values, const float* input, float* output,
                             int64_t stride, Range blockColumns) const {
  std::fill(output + blockColumns.begin * stride, output + blockColumns.end * stride, 0.0f);
  kernels.spmmScatter(forwardView(*pattern_, values), input, output, stride, pattern_->grid().blockRows(),
                      blockColumns);
}

}  // namespace espalier::cpu
