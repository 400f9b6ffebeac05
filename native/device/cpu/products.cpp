#include "device/cpu/products.h"

#include <algorithm>
#include <vector>

#include "base/aligned_buffer.h"
#include "device/cpu/gradient_growth.h"
#include "device/cpu/panels.h"
#include "device/cpu/sparse_products.h"
#include "device/cpu/work_shares.h"

namespace espalier::cpu {
namespace {

int64_t panelWidth(const Pattern& pattern, int64_t batch) {
  return std::min(widestPanel(pattern.values()), roundUp(batch, kPanelUnit));
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

/// Features of input and output, and padded to whole blocks as in the panels.
struct Sides {
  int64_t inputs, paddedInputs, outputs, paddedOutputs;
};

/// Panel by panel, multiply(thread, input panel, output panel, finished) on the rows of each thread.
template <typename Multiply>
void multiplyPanels(ThreadPool& pool, const Sides& sides, int64_t width, const float* input, int64_t batch,
                    float* out, int64_t rowsOfBlock, const Multiply& multiply) {
  Panel in(sides.inputs, sides.paddedInputs, width);
  Panel result(sides.outputs, sides.paddedOutputs, width);
  forEachPanel(
      pool, batch, width,
      [&](int thread, Range samples) {
        in.load(input, batch, samples, evenShare(sides.inputs, thread, pool.threads()));
      },
      [&](int thread, Range samples) {
        multiply(thread, in.data(), result.data(), [&](Range rows) {
          result.store(out, batch, samples, {rows.begin * rowsOfBlock, rows.end * rowsOfBlock});
        });
      });
}

}  // namespace

void multiply(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern, const float* values,
              const float* input, int64_t batch, float* out) {
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(pattern, batch);
  const SparseProducts products(pattern, width, pool.threads());
  multiplyPanels(pool, {grid.columns, paddedColumns(grid), grid.rows, paddedRows(grid)}, width, input, batch,
                 out, grid.block.rows, [&](int thread, const float* in, float* sums, const auto& finished) {
                   products.multiply(kernels, values, in, sums, products.rows(thread), finished);
                 });
}

void multiplyTransposed(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern, const float* values,
                        const float* input, int64_t batch, float* out) {
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(pattern, batch);
  const SparseProducts products(pattern, width, pool.threads());
  multiplyPanels(pool, {grid.rows, paddedRows(grid), grid.columns, paddedColumns(grid)}, width, input, batch,
                 out, grid.block.columns,
                 [&](int thread, const float* in, float* sums, const auto& finished) {
                   products.multiplyTransposed(kernels, values, in, sums, products.columns(thread), finished);
                 });
}

void sampledProduct(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern, const float* gradient,
                    const float* input, int64_t batch, float* out) {
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(pattern, batch);
  Panel dy(grid.rows, paddedRows(grid), width);
  Panel x(grid.columns, paddedColumns(grid), width);
  const int threads = pool.threads();
  const SparseProducts products(pattern, width, threads);
  std::vector<AlignedBuffer<float>> scratch;
  for (int thread = 0; thread < threads; ++thread) scratch.emplace_back(products.gradientScratch());
  std::fill_n(out, pattern.values(), 0.0f);
  forEachPanel(
      pool, batch, width,
      [&](int thread, Range samples) {
        dy.load(gradient, batch, samples, evenShare(grid.rows, thread, threads));
        x.load(input, batch, samples, evenShare(grid.columns, thread, threads));
      },
      [&](int thread, Range) {
        products.gradient(kernels, dy.data(), x.data(), products.rows(thread), scratch[thread].data(),
                          [&](int64_t first, std::span<const float> gradients) {
                            for (const float each : gradients) out[first++] += each;
                          });
      });
}

Array<int64_t> growPositions(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern,
                             const float* gradient, const float* input, int64_t batch, int64_t count) {
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(pattern, batch);
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
