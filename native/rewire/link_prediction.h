#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/thread_pool.h"
#include "sparse/pattern.h"

namespace espalier {

// Growth by topology alone: a layer is a bipartite graph of its block columns and block rows, and a link that
// is not there is as likely as the paths of length three across it are many and closed in. Cannistraci-Hebb
// training, CHT (Zhang et al., "Epitopological learning and Cannistraci-Hebb network shape intelligence",
// ICLR 2024), and its soft form CHTs (Zhang et al., "Brain network science modelling of sparse neural
// networks", 2025).

/// CH3-L3 of every position, block row by block row; 0 where no path of length three leads across, and not
/// defined where there is a link. For a column u and a row v it is the sum over paths u - y - x - v, with y a
/// row and x a column, of 1 / sqrt((1 + e(y)) (1 + e(x))), where e counts the links of a node that lead
/// neither to u or v nor to another node of such paths: 1 + e(y) = degree(y) - |N(y) and N(v)|, and 1 + e(x)
/// = degree(x) - |N(x) and N(u)|.
///
/// Work: the number of paths of length three, about entries x fan-in x fan-out; memory: a few numbers for
/// each row and column.
class LinkScores {
 public:
  explicit LinkScores(const Pattern& pattern);

  /// The scores of one block row, one for each block column; valid until the next call.
  std::span<const double> row(int64_t blockRow);

 private:
  struct Tally {
    double weight = 0;
    /// Paths between two columns, which are rows that both are linked to.
    int64_t paths = 0;
  };

  const Pattern& pattern_;
  /// Of each row: 1 / sqrt(1 + e(y)).
  Array<double> rowWeights_;
  Array<int64_t> common_;
  Array<Tally> tallies_;
  Array<int32_t> touched_;
  Array<double> scores_;
};

/// How links are chosen by their scores.
struct LinkChoice {
  /// None: the largest scores, of equals the smaller position (CHT). Otherwise drawn without replacement with
  /// probabilities in proportion to score^(1 / temperature) (CHTs), keyed by the seed and the position.
  std::optional<double> temperature;
  uint64_t seed = 0;
};

/// `count` block positions outside `kept`, ascending, by their scores in the graph of those kept. Where fewer
/// have a score above 0, the rest are drawn uniformly from the others, keyed by the seed. The outcome does
/// not depend on the number of threads. kept: ascending positions. Throws Error(Option) where there is no
/// room.
Array<int64_t> growByLinks(const Grid& grid, std::span<const int64_t> kept, int64_t count,
                           const LinkChoice& choice, ThreadPool& pool);

}  // namespace espalier
