#include "device/cpu/products.h"

#include <algorithm>
#include <vector>

#include "base/aligned_buffer.h"
#include "device/cpu/gradient_growth.h"
#include "device/cpu/panels.h"
#include "device/cpu/rounded_panels.h"
#include "device/cpu/sparse_products.h"
#include "device/cpu/work_shares.h"

namespace espalier::cpu {
namespace {

int64_t panelWidth(const Pattern& pattern, int64_t batch, bool narrow) {
  return std::min(widestPanel(pattern.values()), roundUp(batch, narrow ? kPairedPanelUnit : kPanelUnit));
}

/// Some samples of a matrix, with zero rows and zero samples up to whole blocks and vectors; with a copy in
/// bfloat16 where products gather from that.
class Panel {
 public:
  Panel(int64_t features, int64_t paddedFeatures, int64_t width, Rounding rounding = Rounding::None)
      : features_(features),
        width_(width),
        buffer_(checkedProduct(paddedFeatures, width)),
        copy_(rounding, paddedFeatures, width, 1) {}

  float* data() { return buffer_.data(); }
  float* row(int64_t number) { return buffer_.data() + number * width_; }
  /// What products gather from.
  template <typename Element>
  const Element* elements() const {
    return copy_.of<Element>(buffer_.data(), 0);
  }

  /// A member's rows, as load() may take them.
  Range share(const Team& team) const { return copy_.share(team); }

  void load(const Kernels& kernels, const float* matrix, int64_t batch, Range samples, Range rows,
            const TileForms& forms) {
    for (int64_t feature = rows.begin; feature < std::min(rows.end, features_); ++feature) {
      float* const target = row(feature);
      std::copy_n(matrix + feature * batch + samples.begin, samples.size(), target);
      std::fill(target + samples.size(), target + width_, 0.0f);
    }
    copy_.round(kernels, row(rows.begin), width_, rows, forms, 0);
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
  RoundedPanels copy_;
};

using OfSamples = TileForms::OfSamples;

Rounding roundingOf(const Means& means, const Pattern& pattern) {
  return roundingFor(means.narrow, means.kernels, pattern.block());
}

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

/// Panel by panel, multiply(team, gathered input, output panel, finished) on the rows of each thread.
template <typename Multiply>
void multiplyPanels(const Means& means, Rounding rounding, const Sides& sides, int64_t width,
                    const float* input, int64_t batch, float* out, int64_t rowsOfBlock,
                    const Multiply& multiply) {
  Panel in(sides.inputs, sides.paddedInputs, width, rounding);
  Panel result(sides.outputs, sides.paddedOutputs, width);
  forEachPanel(
      means.pool, batch, width,
      [&](int thread, Range samples) {
        in.load(means.kernels, input, batch, samples, in.share(Team::all(means.pool, thread)),
                {true, OfSamples::None});
      },
      [&](int thread, Range samples) {
        withElement(rounding, [&]<typename Element>() {
          multiply(
              Team::all(means.pool, thread), in.elements<Element>(),
              [&](Range rows) { return result.row(rows.begin * rowsOfBlock); },
              [&](Range rows) {
                result.store(out, batch, samples, {rows.begin * rowsOfBlock, rows.end * rowsOfBlock});
              });
        });
      });
}

/// Panel by panel, work(thread, samples, output gradients, inputs).
template <typename Work>
void overBothSides(const Means& means, const Pattern& pattern, int64_t width, const float* gradient,
                   const float* input, int64_t batch, const Work& work) {
  const Grid& grid = pattern.grid();
  const Rounding rounding = roundingOf(means, pattern);
  Panel dy(grid.rows, paddedRows(grid), width, rounding);
  Panel x(grid.columns, paddedColumns(grid), width, rounding);
  forEachPanel(
      means.pool, batch, width,
      [&](int thread, Range samples) {
        const Team team = Team::all(means.pool, thread);
        dy.load(means.kernels, gradient, batch, samples, dy.share(team), {false, OfSamples::LeftFactor});
        x.load(means.kernels, input, batch, samples, x.share(team), {false, OfSamples::RightFactor});
      },
      [&](int thread, Range samples) {
        withElement(rounding, [&]<typename Element>() {
          work(thread, samples, dy.elements<Element>(), x.elements<Element>());
        });
      });
}

/// out[rows] = matrix x input[columns].
void multiplyVector(const Means& means, const Pattern& pattern, const float* values, const float* input,
                    float* out) {
  const Grid& grid = pattern.grid();
  AlignedBuffer<float> from(paddedColumns(grid)), to(paddedRows(grid));
  std::copy_n(input, grid.columns, from.data());
  const RowShares shares(pattern.rowOffsets(), pattern.block().size(), means.pool.threads());
  means.pool.run([&](int thread) {
    means.kernels.spmv(forwardView(pattern, values), from.data(), to.data(),
                       shares.of(Team::all(means.pool, thread)));
  });
  std::copy_n(to.data(), grid.rows, out);
}

}  // namespace

void multiply(const Means& means, const Pattern& pattern, const float* values, const float* input,
              int64_t batch, float* out) {
  if (batch == 1 && !means.narrow) return multiplyVector(means, pattern, values, input, out);
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(pattern, batch, means.narrow);
  const SparseProducts products(pattern, width, means.pool.threads(), means.narrow);
  multiplyPanels(means, roundingOf(means, pattern),
                 {grid.columns, paddedColumns(grid), grid.rows, paddedRows(grid)}, width, input, batch, out,
                 grid.block.rows,
                 [&](const Team& team, const auto* in, const auto& outputOf, const auto& finished) {
                   products.multiply(means.kernels, team, values, in, width, outputOf, finished);
                 });
}

void multiplyTransposed(const Means& means, const Pattern& pattern, const float* values, const float* input,
                        int64_t batch, float* out) {
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(pattern, batch, means.narrow);
  const SparseProducts products(pattern, width, means.pool.threads(), means.narrow);
  multiplyPanels(means, roundingOf(means, pattern),
                 {grid.rows, paddedRows(grid), grid.columns, paddedColumns(grid)}, width, input, batch, out,
                 grid.block.columns,
                 [&](const Team& team, const auto* in, const auto& outputOf, const auto& finished) {
                   products.multiplyTransposed(means.kernels, team, values, in, width, outputOf, finished);
                 });
}

void sampledProduct(const Means& means, const Pattern& pattern, const float* gradient, const float* input,
                    int64_t batch, float* out) {
  const int64_t width = panelWidth(pattern, batch, means.narrow);
  const SparseProducts products(pattern, width, means.pool.threads(), means.narrow);
  overBothSides(means, pattern, width, gradient, input, batch,
                [&](int thread, Range samples, const auto* gradients, const auto* inputs) {
                  products.gradient(
                      means.kernels, Team::all(means.pool, thread), gradients, inputs, width,
                      samples.begin > 0, [&](int64_t first) { return out + first; },
                      [](int64_t, std::span<const float>) {});
                });
}

void backwardProducts(const Means& means, const Pattern& pattern, const float* values, const float* gradient,
                      const float* input, int64_t batch, float* inputGradient, float* weightGradient) {
  require(pattern.block().size() == 1, ErrorCode::Option, "backwardProducts serves blocks of 1 x 1 alone");
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(pattern, batch, means.narrow);
  Panel dx(grid.columns, grid.columns, width);
  const SparseProducts products(pattern, width, means.pool.threads(), means.narrow);
  const auto outputOf = [&](Range columns) { return dx.row(columns.begin); };
  overBothSides(means, pattern, width, gradient, input, batch,
                [&](int thread, Range samples, const auto* gradients, const auto* inputs) {
                  const Team team = Team::all(means.pool, thread);
                  const bool accumulate = samples.begin > 0;
                  const auto finished = [&](Range columns) {
                    dx.store(inputGradient, batch, samples, columns);
                  };
                  if (!products.settlesChunks()) {
                    return products.backward(means.kernels, team, values, gradients, inputs, width,
                                             accumulate, weightGradient, outputOf, finished);
                  }
                  products.backwardInChunks(
                      means.kernels, team, values, gradients, inputs, width, accumulate,
                      [&](int64_t first) { return weightGradient + first; },
                      [](int64_t, std::span<const float>) {}, outputOf, finished);
                });
}

Array<int64_t> growPositions(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern,
                             const float* gradient, const float* input, int64_t batch, int64_t count) {
  const Grid& grid = pattern.grid();
  const int64_t width = panelWidth(pattern, batch, false);
  std::vector<Panel> dy, x;
  for (int64_t first = 0; first < batch; first += width) {
    const Range samples{first, std::min(first + width, batch)};
    dy.emplace_back(grid.rows, paddedRows(grid), width);
    dy.back().load(kernels, gradient, batch, samples, {0, grid.rows}, {});
    x.emplace_back(grid.columns, paddedColumns(grid), width);
    x.back().load(kernels, input, batch, samples, {0, grid.columns}, {});
  }
  const GradientSides sides{static_cast<int64_t>(dy.size()), width,
                            [&](int64_t panel) { return dy[panel].data(); },
                            [&](int64_t panel) { return x[panel].data(); }};
  return growByGradient(kernels, pool, grid, pattern.positions(), count, sides);
}

}  // namespace espalier::cpu
