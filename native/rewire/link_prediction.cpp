#include "rewire/link_prediction.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "base/random.h"
#include "rewire/grow.h"

namespace espalier {
namespace {

/// What is larger the earlier a link of this weight comes in a draw without replacement: weight divided by an
/// exponential number (Efraimidis and Spirakis, 2006).
float drawKey(double score, double temperature, uint64_t seed, int64_t position) {
  const auto bits = randomBits(seed, RandomPurpose::Growth, 0, static_cast<uint64_t>(position));
  const double uniform = (bits[0] + 0.5) / 4294967296.0;
  const double logarithm = std::log(score) / temperature - std::log(-std::log(uniform));
  return static_cast<float>(std::exp(std::clamp(logarithm, -80.0, 80.0)));
}

/// One thread's search through its rows.
void offerLinks(const Pattern& graph, int thread, int threads, const LinkChoice& choice, TopPositions& best) {
  LinkScores scores(graph);
  const int64_t width = graph.grid().blockColumns();
  for (int64_t row = thread; row < graph.grid().blockRows(); row += threads) {
    const std::span<const double> ofRow = scores.row(row);
    int64_t entry = graph.rowOffsets()[row];
    for (int64_t column = 0; column < width; ++column) {
      if (entry < graph.rowOffsets()[row + 1] && graph.columns()[entry] == column) {
        ++entry;
        continue;
      }
      const double score = ofRow[column];
      if (score <= 0) continue;
      const int64_t position = row * width + column;
      best.offer(choice.temperature ? drawKey(score, *choice.temperature, choice.seed, position)
                                    : static_cast<float>(score),
                 position);
    }
  }
}

}  // namespace

LinkScores::LinkScores(const Pattern& pattern)
    : pattern_(pattern),
      rowWeights_(static_cast<size_t>(pattern.grid().blockRows())),
      common_(static_cast<size_t>(pattern.grid().blockRows())),
      tallies_(static_cast<size_t>(pattern.grid().blockColumns())),
      scores_(static_cast<size_t>(pattern.grid().blockColumns())) {}

std::span<const double> LinkScores::row(int64_t v) {
  const Array<int64_t>& rowOffsets = pattern_.rowOffsets();
  const Array<int64_t>& columnOffsets = pattern_.columnOffsets();
  const Array<int32_t>& columns = pattern_.columns();
  const Array<int32_t>& rows = pattern_.rows();

  std::ranges::fill(common_, 0);
  for (int64_t i = rowOffsets[v]; i < rowOffsets[v + 1]; ++i) {
    const int32_t x = columns[i];
    for (int64_t j = columnOffsets[x]; j < columnOffsets[x + 1]; ++j) ++common_[rows[j]];
  }
  for (size_t y = 0; y < common_.size(); ++y) {
    // Where there are none, the row leads only to columns that v is linked to: no path goes by way of it.
    const int64_t outside = rowOffsets[y + 1] - rowOffsets[y] - common_[y];
    rowWeights_[y] = outside > 0 ? 1 / std::sqrt(static_cast<double>(outside)) : 0;
  }

  std::ranges::fill(scores_, 0.0);
  for (int64_t i = rowOffsets[v]; i < rowOffsets[v + 1]; ++i) {
    const int32_t x = columns[i];
    for (int64_t j = columnOffsets[x]; j < columnOffsets[x + 1]; ++j) {
      const int32_t y = rows[j];
      if (y == v || rowWeights_[y] == 0) continue;
      for (int64_t k = rowOffsets[y]; k < rowOffsets[y + 1]; ++k) {
        Tally& tally = tallies_[columns[k]];
        if (tally.paths++ == 0) touched_.push_back(columns[k]);
        tally.weight += rowWeights_[y];
      }
    }
    const int64_t degree = columnOffsets[x + 1] - columnOffsets[x];
    for (const int32_t u : touched_) {
      // v is a link of x that no u without a link to v shares, so there are fewer paths than links.
      scores_[u] += tallies_[u].weight / std::sqrt(static_cast<double>(degree - tallies_[u].paths));
      tallies_[u] = {};
    }
    touched_.clear();
  }
  return scores_;
}

Array<int64_t> growByLinks(const Grid& grid, std::span<const int64_t> kept, int64_t count,
                           const LinkChoice& choice, ThreadPool& pool) {
  require(count >= 0 && count <= grid.positions() - static_cast<int64_t>(kept.size()), ErrorCode::Option,
          "there are fewer free positions than connections to grow");
  const Pattern graph = Pattern::fromPositions(grid, kept);
  std::vector<TopPositions> best(static_cast<size_t>(pool.threads()), TopPositions(count));
  pool.run([&](int thread) {
    offerLinks(graph, thread, pool.threads(), choice, best[static_cast<size_t>(thread)]);
  });
  for (size_t thread = 1; thread < best.size(); ++thread) best[0].merge(std::move(best[thread]));
  const Array<int64_t> likely = best[0].finish();

  const int64_t missing = count - static_cast<int64_t>(likely.size());
  if (missing == 0) return likely;
  Array<int64_t> taken, grown;
  std::ranges::merge(kept, likely, std::back_inserter(taken));
  std::ranges::merge(likely, growAtRandom(grid, taken, missing, choice.seed), std::back_inserter(grown));
  return grown;
}

}  // namespace espalier
