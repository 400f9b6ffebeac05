#include "device/cpu/products.h"

#include <algorithm>
#include <vector>

#include "base/aligned_buffer.h"
#include "device/cpu/gradient_growth.h"
#include "device/cpu/work_shares.h"

namespace espalier::cpu {
namespace {

/// A panel of a layer's input should stay in the second cache while every row walks it.
constexpr int64_t kPanelBytes = 512 * 1024;
constexpr int64_t kWidestPanel = 64;

int64_t panelWidth(int64_t features, int64_t batch) {
  int64_t width = kWidestPanel;
  while (width > kPanelUnit && features * width * static_cast<int64_t>(sizeof(float)) > kPanelBytes)
    width /= 2;
  return std::min(width, roundUp(batch, kPanelUnit));
}

/// Some samples of a matrix, with zero rows and zero samples up to whole blocks and vectors.
class Panel {
 public:
  Panel(int64_t features, int64_t paddedFeatures, int64_t width)
      : features_(features), width_(width), buffer_(checkedProduct(paddedFeatures, width)) {}

  float* data() { return buffer_.data(); }

  void load(const float* matrix, int64_t batch, Range samples, Range rows) {
    for (int64_t row = rows.begin; row < std::min(rows.end, features_); ++row) {
      float* const target = buffer_.data() + row * width_;
      std::copy_n(matrix + row * batch + samples.begin, samples.size(), target);
      std::fill(target + samples.size(), target + width_, 0.0f);
    }
  }

  void store(float* matrix, int64_t batch, Range samples, Range rows) const {
    for (int64_t row = rows.begin; row < std::min(rows.end, features_); ++row) {
      std::copy_n(buffer_.data() + row * width_, samples.size(), matrix + row * batch + samples.begin);
    }
  }

 private:
  int64_t features_;
  int64_t width_;
  AlignedBuffer<float> buffer_;
};

int64_t paddedRows(const Grid& grid) {
  return grid.blockRows() * grid.block.rows;
}
int64_t paddedColumns(const Grid& grid) {
  return grid.blockColumns() * grid.block.columns;
}

/// Walks the batch panel by panel: every thread loads its part of the panels, and when all are loaded calls
/// work(thread, samples).
template <typename Load, typename Work>
void forEachPanel(ThreadPool& pool, int64_t batch, int64_t width, const Load& load, const Work& work) {
  pool.run([&](int thread) {
    for (int64_t first = 0; first < batch; first += width) {
      const Range samples{first, std::min(first + width, batch)};
      load(thread, samples);
      pool.barrier();
      work(thread, samples);
      pool.barrier();
    }
  });
}

/// One view of the matrix times one input: `inputs` and `outputs` in features, padded to whole blocks in the
/// panels.
struct Sides {
  int64_t inputs, paddedInputs, outputs, paddedOutputs;
};

void multiplyView(const Kernels& kernels, ThreadPool& pool, const MatrixView& view,
                  const Array<int64_t>& offsets, const Sides& sides, const float* input, int64_t batch,
                  float* out) {
  const int64_t width = panelWidth(sides.inputs, batch);
  Panel in(sides.inputs, sides.paddedInputs, width);
  Panel result(sides.outputs, sides.paddedOutputs, width);
  const int threads = pool.threads();
  const RowShares shares(offsets, view.blockOutputs * view.blockInputs, threads);
  forEachPanel(
      pool, batch, width,
      [&](int thread, Range samples) {
        in.load(input, batch, samples, evenShare(sides.inputs, thread, threads));
      },
      [&](int thread, Range samples) {
        const Range blockRows = shares.of(thread);
        kernels.spmm(view, in.data(), result.data(), width, blockRows);
        result.store(out, batch, samples,
                     {blockRows.begin * view.blockOutputs, blockRows.end * view.blockOutputs});
      });
}

/// transpose(matrix) x input for blocks of 4 x 1 by scattering, which loads every input once. The threads
/// divide the columns, since two rows may meet in one.
void multiplyByScatter(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern, const float* values,
                       const float* input, int64_t batch, float* out) {
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(grid.rows, batch);
  Panel in(grid.rows, paddedRows(grid), width);
  Panel result(grid.columns, paddedColumns(grid), width);
  const int threads = pool.threads();
  const MatrixView view = forwardView(pattern, values);
  forEachPanel(
      pool, batch, width,
      [&](int thread, Range samples) {
        in.load(input, batch, samples, evenShare(grid.rows, thread, threads));
      },
      [&](int thread, Range samples) {
        const Range own = evenShare(grid.columns, thread, threads);
        std::fill_n(result.data() + own.begin * width, own.size() * width, 0.0f);
        kernels.spmmScatter(view, in.data(), result.data(), width, grid.blockRows(), own);
        result.store(out, batch, samples, own);
      });
}

}  // namespace

void multiply(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern, const float* values,
              const float* input, int64_t batch, float* out) {
  const Grid& grid = pattern.grid();
  multiplyView(kernels, pool, forwardView(pattern, values), pattern.rowOffsets(),
               {grid.columns, paddedColumns(grid), grid.rows, paddedRows(grid)}, input, batch, out);
}

void multiplyTransposed(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern, const float* values,
                        const float* input, int64_t batch, float* out) {
  const Grid& grid = pattern.grid();
  if (pattern.block() == BlockShape{4, 1}) {
    multiplyByScatter(kernels, pool, pattern, values, input, batch, out);
  } else {
    multiplyView(kernels, pool, transposeView(pattern, values), pattern.columnOffsets(),
                 {grid.rows, paddedRows(grid), grid.columns, paddedColumns(grid)}, input, batch, out);
  }
}

void sampledProduct(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern, const float* gradient,
                    const float* input, int64_t batch, float* out) {
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(grid.columns, batch);
  Panel dy(grid.rows, paddedRows(grid), width);
  Panel x(grid.columns, paddedColumns(grid), width);
  const int threads = pool.threads();
  const MatrixView view = forwardView(pattern, nullptr);
  const int32_t blockSize = pattern.block().size();

  const RowShares shares(pattern.rowOffsets(), blockSize, threads);
  std::vector<AlignedBuffer<float>> scratch;
  for (int thread = 0; thread < threads; ++thread) {
    const Range rows = shares.of(thread);
    const int64_t entries = pattern.rowOffsets()[rows.end] - pattern.rowOffsets()[rows.begin];
    scratch.emplace_back(entries * blockSize + kPanelUnit);
  }
  std::fill_n(out, pattern.values(), 0.0f);
  forEachPanel(
      pool, batch, width,
      [&](int thread, Range samples) {
        dy.load(gradient, batch, samples, evenShare(grid.rows, thread, threads));
        x.load(input, batch, samples, evenShare(grid.columns, thread, threads));
      },
      [&](int thread, Range) {
        const Range rows = shares.of(thread);
        float* const part = scratch[thread].data();
        kernels.sddmm(view, dy.data(), x.data(), width, rows, part);
        const int64_t first = pattern.rowOffsets()[rows.begin] * blockSize;
        const int64_t end = pattern.rowOffsets()[rows.end] * blockSize;
        for (int64_t i = first; i < end; ++i) out[i] += part[i - first];
      });
}

Array<int64_t> growPositions(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern,
                             const float* gradient, const float* input, int64_t batch, int64_t count) {
  const Grid& grid = pattern.grid();
  const int64_t width = std::min<int64_t>(kLargestPanel, roundUp(batch, kPanelUnit));
  std::vector<Panel> dy, x;
  for (int64_t first = 0; first < batch; first += width) {
    const Range samples{first, std::min(first + width, batch)};
    dy.emplace_back(grid.rows, paddedRows(grid), width);
    dy.back().load(gradient, batch, samples, {0, grid.rows});
    x.emplace_back(grid.columns, paddedColumns(grid), width);
    x.back().load(input, batch, samples, {0, grid.columns});
  }
  const GradientSides sides{static_cast<int64_t>(dy.size()), width,
                            [&](int64_t panel) { return dy[panel].data(); },
                            [&](int64_t panel) { return x[panel].data(); }};
  return growByGradient(kernels, pool, grid, pattern.positions(), count, sides);
}

}  // namespace espalier::cpu
