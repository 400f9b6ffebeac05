#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "device/cpu/kernels/kernels.h"
#include "device/cpu/shared_rows.h"
#include "sparse/pattern.h"

namespace espalier::cpu {

/// Blocks, `side` features wide each, that are whole groups of kTileFeatures: shares and groups of columns
/// begin with a multiple.
inline int64_t blocksOfUnit(int64_t side) {
  return kTileFeatures / std::gcd(int64_t{kTileFeatures}, side);
}

/// One view of a pattern, cut into chunks of inputs where a panel of all inputs is larger than the second
/// cache, or, if rows have many inputs, than the first: what the first rows of a chunk fetch then serves the
/// others from there. Every sum still runs in the order of the pattern.
class ChunkedRows {
 public:
  ChunkedRows() = default;
  /// rows, columns: block rows and block columns of the view, of which there is at least one. forFirstCache:
  /// whether chunks may be as small as the first cache. entries: how many a chunk may have, about.
  ChunkedRows(const MatrixView& view, int64_t rows, int64_t columns, int64_t stride, bool forFirstCache,
              int64_t entries = std::numeric_limits<int64_t>::max());

  int64_t chunks() const { return chunks_; }
  /// Block columns of the view that a chunk holds.
  Range columnsOf(int64_t chunk) const { return {chunk * width_, std::min((chunk + 1) * width_, columns_)}; }
  /// Rows that go through all chunks together, where there are several.
  int64_t rowsAtOnce() const { return rowsAtOnce_; }
  /// Gradients of weights that are computed before they are settled.
  int64_t gradientsAtOnce() const { return gradientsAtOnce_; }
  /// The whole view, restricted to one chunk.
  MatrixView restrict(MatrixView view, int64_t chunk) const;
  int64_t bytes() const { return static_cast<int64_t>(bounds_.size() * sizeof(int64_t)); }

 private:
  /// Cuts into chunks of `width` block columns.
  void cut(const MatrixView& view, int64_t width);

  int64_t columns_ = 0;
  int64_t chunks_ = 1;
  int64_t width_ = 0;
  int64_t rowsAtOnce_ = 1;
  int64_t gradientsAtOnce_ = 1;
  int64_t rows_ = 0;
  /// Whether the weights are more than the second cache holds.
  bool fetchesAhead_ = false;
  /// Whether rows are long enough for asking for their inputs ahead to pay.
  bool fetchesInputs_ = false;
  /// First entry of each row in each chunk, and the end; empty where there is one chunk.
  std::vector<int64_t> bounds_;
};

/// The products of one sparse matrix with panels of at most `stride` samples, by every member of a team, who
/// divide the rows. Panels hold floats or pairs of bfloat16 (see GatheringProducts). Holds on to the pattern;
/// make it again when that has changed.
class SparseProducts {
 public:
  SparseProducts() = default;
  /// narrow: whether panels that are gathered from hold bfloat16.
  SparseProducts(const Pattern& pattern, int64_t stride, int threads, bool narrow = false);

  /// The product matrix x input, groups of whose block rows are written where outputOf(rows) says;
  /// finished(rows) is called on each group then.
  template <typename Element, typename OutputOf, typename Finished>
  void multiply(const Kernels& kernels, const Team& team, const float* values, const Element* input,
                int64_t stride, const OutputOf& outputOf, const Finished& finished) const {
    forwardRows_.divide(team, [&](Range blockRows) {
      walk(kernels, forward_, forwardView(*pattern_, values), input, stride, blockRows, outputOf, finished);
    });
  }

  /// The product transpose(matrix) x input, in groups of block columns.
  template <typename Element, typename OutputOf, typename Finished>
  void multiplyTransposed(const Kernels& kernels, const Team& team, const float* values, const Element* input,
                          int64_t stride, const OutputOf& outputOf, const Finished& finished) const {
    columns_.divide(team, [&](Range blockColumns) {
      if constexpr (std::is_same_v<Element, float>) {
        if (pattern_->block() == BlockShape{4, 1}) {
          scatter(kernels, values, input, outputOf(blockColumns), stride, blockColumns);
          finished(blockColumns);
          return;
        }
      }
      walk(kernels, transposed_, transposeView(*pattern_, values), input, stride, blockColumns, outputOf,
           finished);
    });
  }

  /// multiplyTransposed() and gradient() at once, in the same bits, of single weights: writes or adds to
  /// gradients[entry] for every entry.
  template <typename Element, typename OutputOf, typename Finished>
  void backward(const Kernels& kernels, const Team& team, const float* values, const Element* outputGradient,
                const Element* input, int64_t stride, bool accumulate, float* gradients,
                const OutputOf& outputOf, const Finished& finished) const {
    const MatrixView view = transposeView(*pattern_, values);
    const int64_t pitch = stride / samplesOf<Element>();
    // Columns that are taken over cost too much: their gradients lie in the lines of the other's.
    inGroups(
        transposed_, columns_.share(team), kRowsAtOnce,
        [&](Range few, int64_t chunk) {
          kernels.products<Element>().spmmSddmm(transposed_.restrict(view, chunk).from(few.begin),
                                                outputGradient, input + few.begin * pitch, outputOf(few),
                                                stride, {0, few.size()}, chunk > 0, accumulate, 0, gradients);
        },
        finished);
  }

  /// Whether backward() is what a team does best with panels of that stride. Members divide columns, so that
  /// in short rows two of them write gradients into one cache line.
  bool repaysBackward(const Team& team, int64_t stride) const {
    const int64_t rows = pattern_->grid().blockRows() * team.members();
    return team.members() == 1 || pattern_->entries() * stride >= rows * kProductsToDivideRow;
  }

  /// Whether backwardInChunks() serves the pattern: single weights whose gradients are too many to keep.
  bool settlesChunks() const { return chunkGradients_ > 0; }

  /// backward() by all members together, chunk of block rows by chunk: writes or adds the gradients of its
  /// weights where at(first value) says, which may be chunkGradients() numbers that the members share, and
  /// when they are complete, every member calls settle(first value, gradients) on some.
  template <typename Element, typename At, typename Settle, typename OutputOf, typename Finished>
  void backwardInChunks(const Kernels& kernels, const Team& team, const float* values,
                        const Element* outputGradient, const Element* input, int64_t stride, bool accumulate,
                        const At& at, const Settle& settle, const OutputOf& outputOf,
                        const Finished& finished) const {
    const MatrixView view = transposeView(*pattern_, values);
    const Range columns = columns_.share(team);
    float* const output = outputOf(columns);
    for (int64_t chunk = 0; chunk < transposed_.chunks(); ++chunk) {
      const Range entries = entriesOf(chunk);
      float* const gradients = at(entries.begin);
      kernels.products<Element>().spmmSddmm(
          transposed_.restrict(view, chunk).from(columns.begin), outputGradient,
          input + columns.begin * stride / samplesOf<Element>(), output, stride, {0, columns.size()},
          chunk > 0, accumulate, entries.begin, gradients);
      team.barrier();
      const Range own = team.share(entries.size(), kLine);
      settle(entries.begin + own.begin,
             std::span<float>(gradients + own.begin, static_cast<size_t>(own.size())));
      team.barrier();  // before the next chunk writes where this one did
    }
    finished(columns);
  }

  /// The gradients of all weights, a run of block rows at a time: writes or adds them where at(first value)
  /// says, which may be gradientScratch() numbers, then calls settle(first value, gradients).
  template <typename Element, typename At, typename Settle>
  void gradient(const Kernels& kernels, const Team& team, const Element* outputGradient, const Element* input,
                int64_t stride, bool accumulate, const At& at, const Settle& settle) const {
    gradientRows_.divide(team, [&](Range blockRows) {
      for (int64_t row = blockRows.begin; row < blockRows.end;) {
        const int64_t end = endOfRun(row, blockRows.end);
        const int64_t first = pattern_->rowOffsets()[row], size = pattern_->block().size();
        float* const target = at(first * size);
        for (int64_t chunk = 0; chunk < forward_.chunks(); ++chunk) {
          kernels.products<Element>().sddmm(forward_.restrict(forwardView(*pattern_, nullptr), chunk),
                                            outputGradient, input, stride, {row, end}, first, accumulate,
                                            target);
        }
        const int64_t count = (pattern_->rowOffsets()[end] - first) * size;
        settle(first * size, std::span<float>(target, static_cast<size_t>(count)));
        row = end;
      }
    });
  }

  /// A member's block rows of what backward() has left in gradients.
  Range rows(const Team& team) const { return gradientRows_.share(team); }

  int64_t gradientScratch() const { return longestRun_; }
  int64_t chunkGradients() const { return chunkGradients_; }
  int64_t bytes() const { return forward_.bytes() + transposed_.bytes(); }

 private:
  template <typename Element, typename OutputOf, typename Finished>
  void walk(const Kernels& kernels, const ChunkedRows& chunked, const MatrixView& view, const Element* input,
            int64_t stride, Range blockRows, const OutputOf& outputOf, const Finished& finished) const {
    // Matrix units have to be set up for every call.
    constexpr int64_t kAtOnce = std::is_same_v<Element, Bfloat16Tile> ? kTileRowsAtOnce : kRowsAtOnce;
    const int64_t few = std::max<int64_t>(1, kAtOnce / view.blockOutputs);
    inGroups(
        chunked, blockRows, roundUp(few, blocksOfUnit(view.blockOutputs)),
        [&](Range rows, int64_t chunk) {
          kernels.products<Element>().spmm(chunked.restrict(view, chunk).from(rows.begin), input,
                                           outputOf(rows), stride, {0, rows.size()}, chunk > 0);
        },
        finished);
  }
  /// Calls work(rows, chunk) for every chunk, then finished(rows): for a few rows at a time where there is
  /// one chunk, so that what comes next finds them in the first cache.
  template <typename Work, typename Finished>
  static void inGroups(const ChunkedRows& chunked, Range rows, int64_t few, const Work& work,
                       const Finished& finished) {
    const int64_t step = chunked.chunks() == 1 ? few : chunked.rowsAtOnce();
    for (int64_t row = rows.begin; row < rows.end; row += step) {
      const Range group{row, std::min(row + step, rows.end)};
      for (int64_t chunk = 0; chunk < chunked.chunks(); ++chunk) work(group, chunk);
      finished(group);
    }
  }
  void scatter(const Kernels& kernels, const float* values, const float* input, float* output, int64_t stride,
               Range blockColumns) const;
  /// The end of the rows from `row` on whose gradients are computed before they are settled; no run ends
  /// before one that began earlier, so looking may start there.
  int64_t endOfRun(int64_t row, int64_t end, int64_t least = 0) const;
  /// Entries of the block rows that a chunk of the transpose view holds.
  Range entriesOf(int64_t chunk) const {
    const Range rows = transposed_.columnsOf(chunk);
    return {pattern_->rowOffsets()[rows.begin], pattern_->rowOffsets()[rows.end]};
  }

  /// Outputs that are finished while they are in the first cache.
  static constexpr int64_t kRowsAtOnce = 16;
  static constexpr int64_t kTileRowsAtOnce = 64;
  static constexpr int64_t kLine = 64 / sizeof(float);
  /// Multiply-adds of a row, for each member, from which on the lines that two write are no matter.
  static constexpr int64_t kProductsToDivideRow = int64_t{1} << 12;

  const Pattern* pattern_ = nullptr;
  SharedRows forwardRows_;
  SharedRows columns_;
  SharedRows gradientRows_;
  ChunkedRows forward_;
  ChunkedRows transposed_;
  int64_t longestRun_ = 0;
  int64_t chunkGradients_ = 0;
};

}  // namespace espalier::cpu
