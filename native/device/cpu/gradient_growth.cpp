#include "device/cpu/gradient_growth.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>

#include "base/aligned_buffer.h"
#include "device/cpu/work_shares.h"
#include "rewire/grow.h"

namespace espalier::cpu {
namespace {

/// Weights of a tile: rows enough for the register tiles, columns few enough that their inputs stay in the
/// second cache.
constexpr int64_t kTileRows = 16;
constexpr int64_t kTileColumns = 512;

/// One row of tiles in so many is looked at first, to guess what it takes to win; fewer where the layer is
/// large, so that the sample stays about as small as this.
constexpr int64_t kSampledTile = 16;
constexpr int64_t kSampleSize = int64_t{1} << 15;
/// The guess lets about so many times the winners through.
constexpr double kGuessMargin = 1.4;

/// One thread's search through its block rows.
class Search {
 public:
  Search(const Kernels& kernels, const Grid& grid, std::span<const int64_t> kept, const GradientSides& sides,
         TopPositions& best)
      : kernels_(kernels),
        grid_(grid),
        kept_(kept),
        sides_(sides),
        best_(best),
        tileBlockRows_(std::max<int64_t>(1, kTileRows / grid.block.rows)),
        tileBlockColumns_(std::max<int64_t>(1, kTileColumns / grid.block.columns)),
        tile_(checkedProduct(tileBlockRows_ * grid.block.rows, tileBlockColumns_ * grid.block.columns)),
        magnitudes_(tileBlockColumns_),
        candidates_(tileBlockColumns_) {}

  /// Offers every position of the rows.
  void run(Range blockRows) {
    overTiles(blockRows, 1, [&](Range rows, Range columns) {
      for (int64_t i = rows.begin; i < rows.end; ++i) offerRow(rows, columns, i);
    });
  }

  /// The magnitudes of a sample of the rows, what is kept left out.
  Array<float> sample(Range blockRows) {
    Array<float> magnitudes;
    const int64_t step = std::max(kSampledTile, grid_.positions() / kSampleSize);
    overTiles(blockRows, step, [&](Range rows, Range columns) {
      for (int64_t i = rows.begin; i < rows.end; ++i) {
        const std::span<const float> row = magnitudesOfRow(rows, columns, i);
        std::ranges::copy_if(row, std::back_inserter(magnitudes),
                             [](float value) { return !std::isnan(value); });
      }
    });
    std::ranges::transform(magnitudes, magnitudes.begin(), [](float value) { return std::abs(value); });
    return magnitudes;
  }

 private:
  /// Weight columns of the tile; the last block may reach into padding, where both sides are 0.
  int64_t width(Range columns) const { return columns.size() * grid_.block.columns; }

  template <typename Use>
  void overTiles(Range blockRows, int64_t step, const Use& use) {
    for (int64_t column = 0; column < grid_.blockColumns(); column += tileBlockColumns_) {
      const Range columns{column, std::min(column + tileBlockColumns_, grid_.blockColumns())};
      for (int64_t row = blockRows.begin; row < blockRows.end; row += tileBlockRows_ * step) {
        const Range rows{row, std::min(row + tileBlockRows_, blockRows.end)};
        computeTile(rows, columns);
        use(rows, columns);
      }
    }
  }

  void computeTile(Range rows, Range columns) {
    const int64_t firstColumn = columns.begin * grid_.block.columns;
    for (int64_t panel = 0; panel < sides_.panels; ++panel) {
      kernels_.gemmGradient(sides_.outputGradient(panel), sides_.input(panel) + firstColumn * sides_.stride,
                            width(columns), sides_.stride,
                            {rows.begin * grid_.block.rows, rows.end * grid_.block.rows}, panel > 0,
                            tile_.data());
    }
  }

  /// The magnitudes of the tile's positions in one block row, with a sign that does not matter. What is kept
  /// must not win: it becomes NaN, which never does.
  std::span<float> magnitudesOfRow(Range rows, Range columns, int64_t blockRow) {
    const int64_t firstPosition = blockRow * grid_.blockColumns() + columns.begin;
    float* const gradient = tile_.data() + (blockRow - rows.begin) * grid_.block.rows * width(columns);
    float* const magnitudes = grid_.block.size() == 1 ? gradient : magnitudes_.data();
    if (grid_.block.size() != 1) {
      for (int64_t j = 0; j < columns.size(); ++j) {
        magnitudes[j] = sumOfSquares(gradient + j * grid_.block.columns, width(columns));
      }
    }
    const auto end = kept_.end();
    for (auto kept = std::lower_bound(kept_.begin(), end, firstPosition);
         kept != end && *kept < firstPosition + columns.size(); ++kept) {
      magnitudes[*kept - firstPosition] = std::numeric_limits<float>::quiet_NaN();
    }
    return {magnitudes, static_cast<size_t>(columns.size())};
  }

  void offerRow(Range rows, Range columns, int64_t blockRow) {
    const int64_t firstPosition = blockRow * grid_.blockColumns() + columns.begin;
    const std::span<const float> magnitudes = magnitudesOfRow(rows, columns, blockRow);
    const int64_t count =
        kernels_.atLeast(magnitudes.data(), columns.size(), best_.threshold(), candidates_.data());
    for (int64_t i = 0; i < count; ++i) {
      best_.offer(std::abs(magnitudes[candidates_[i]]), firstPosition + candidates_[i]);
    }
  }

  /// Of one block, in double and rounded once: the same number on every device.
  float sumOfSquares(const float* block, int64_t rowStep) const {
    double sum = 0;
    for (int32_t i = 0; i < grid_.block.rows; ++i) {
      for (int32_t j = 0; j < grid_.block.columns; ++j) {
        const double g = block[i * rowStep + j];
        sum += g * g;
      }
    }
    return static_cast<float>(sum);
  }

  const Kernels& kernels_;
  const Grid& grid_;
  const std::span<const int64_t> kept_;
  const GradientSides& sides_;
  TopPositions& best_;
  const int64_t tileBlockRows_;
  const int64_t tileBlockColumns_;
  AlignedBuffer<float> tile_;
  AlignedBuffer<float> magnitudes_;
  AlignedBuffer<int32_t> candidates_;
};

/// A magnitude that somewhat more than `count` of `candidates` positions reach, judged by a sample of them; 0
/// where the sample is too small to judge by.
float guessThreshold(Array<float>& sample, int64_t count, int64_t candidates) {
  const double share = static_cast<double>(count) / static_cast<double>(std::max<int64_t>(candidates, 1));
  const auto rank = static_cast<int64_t>(kGuessMargin * share * static_cast<double>(sample.size()));
  if (rank < 100 || rank >= static_cast<int64_t>(sample.size())) return 0;
  std::ranges::nth_element(sample, sample.begin() + rank, std::greater<>());
  return sample[static_cast<size_t>(rank)];
}

}  // namespace

void gradientRows(const Kernels& kernels, ThreadPool& pool, const GradientSides& sides, int64_t inputs,
                  Range rows, std::span<float> gradient) {
  pool.run([&](int thread) {
    const Range share = evenShare(rows.size(), thread, pool.threads(), kTileRows);
    for (int64_t row = share.begin; row < share.end; row += kTileRows) {
      const Range tile{rows.begin + row, rows.begin + std::min(row + kTileRows, share.end)};
      for (int64_t panel = 0; panel < sides.panels; ++panel) {
        kernels.gemmGradient(sides.outputGradient(panel), sides.input(panel), inputs, sides.stride, tile,
                             panel > 0, gradient.data() + row * inputs);
      }
    }
  });
}

Array<int64_t> growByGradient(const Kernels& kernels, ThreadPool& pool, const Grid& grid,
                              std::span<const int64_t> kept, int64_t count, const GradientSides& sides) {
  const int64_t free = grid.positions() - static_cast<int64_t>(kept.size());
  require(count <= free, ErrorCode::Option, "there are fewer free positions than connections to grow");
  const auto threads = static_cast<size_t>(pool.threads());
  const auto shareOf = [&](int thread) { return evenShare(grid.blockRows(), thread, pool.threads()); };

  const auto search = [&](float threshold) {
    std::vector<TopPositions> best(threads, TopPositions(count));
    std::vector<Search> searches;
    searches.reserve(threads);
    for (TopPositions& each : best) {
      each.startAt(threshold);
      searches.emplace_back(kernels, grid, kept, sides, each);
    }
    pool.run([&](int thread) { searches[static_cast<size_t>(thread)].run(shareOf(thread)); });
    for (size_t thread = 1; thread < threads; ++thread) best[0].merge(std::move(best[thread]));
    return best[0].finish();
  };

  TopPositions unused(0);
  Array<float> sample = Search(kernels, grid, kept, sides, unused).sample({0, grid.blockRows()});
  const float guess = guessThreshold(sample, count, free);
  Array<int64_t> grown = search(guess);
  // A guess that was too high has lost winners; without one the search is exact.
  if (static_cast<int64_t>(grown.size()) < count && guess > 0) grown = search(0);
  require(static_cast<int64_t>(grown.size()) == count, ErrorCode::Diverged,
          "the gradient of a layer is no longer a number; a smaller learning rate may help");
  return grown;
}

}  // namespace espalier::cpu
