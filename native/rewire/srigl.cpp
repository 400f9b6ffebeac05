#include "rewire/srigl.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/share.h"
#include "rewire/gradient_sizes.h"
#include "rewire/grow.h"
#include "rewire/prune.h"

namespace espalier {
namespace {

constexpr float kNever = std::numeric_limits<float>::quiet_NaN();

/// One layer on its way.
class Rewiring {
 public:
  Rewiring(const Pattern& pattern, std::span<const float> values, const ReadGradient& gradient, size_t layer,
           const SriglPlan& plan)
      : pattern_(pattern),
        grid_(pattern.grid()),
        gradient_(gradient),
        layer_(layer),
        plan_(plan),
        moved_(wholeShare(plan.fraction, pattern.entries())),
        sizes_(entrySizes(pattern, values)),
        lives_(static_cast<size_t>(grid_.blockRows()), 0) {
    require(hasConstantFanIn(pattern), ErrorCode::Option,
            "srigl needs neurons of one fan-in in every sparse layer; begin with topology constantFanIn()");
    require(plan.budget >= pattern.entries(), ErrorCode::Internal, "a budget below what there is");
    for (int64_t row = 0; row < grid_.blockRows(); ++row) lives_[row] = entriesIn(row) > 0;
  }

  SriglMove run() {
    drop();
    if (plan_.minimumSalient > 0) {
      removeNeurons(salientWeights());
      // The entries of removed neurons go first, and fewer of the others.
      if (!move_.removed.empty()) drop();
    }
    for (int64_t entry = 0; entry < pattern_.entries(); ++entry) {
      if (gone_[entry]) move_.dropped.push_back(static_cast<int32_t>(entry));
    }
    grow(fanIns());
    return std::move(move_);
  }

 private:
  int64_t entriesIn(int64_t row) const { return pattern_.rowOffsets()[row + 1] - pattern_.rowOffsets()[row]; }
  bool mustBeEmpty(int64_t column) const { return !plan_.emptyColumns.empty() && plan_.emptyColumns[column]; }
  /// Block columns that may have entries.
  int64_t columns() const {
    return grid_.blockColumns() - std::count(plan_.emptyColumns.begin(), plan_.emptyColumns.end(), 1);
  }

  /// Marks what goes: all that must, and then the smallest until the share is reached.
  void drop() {
    gone_.assign(static_cast<size_t>(pattern_.entries()), 0);
    Array<float> sizes = sizes_;
    int64_t left = moved_, others = 0;
    for (int64_t row = 0; row < grid_.blockRows(); ++row) {
      for (int64_t entry = pattern_.rowOffsets()[row]; entry < pattern_.rowOffsets()[row + 1]; ++entry) {
        if (lives_[row] && !mustBeEmpty(pattern_.columns()[entry])) {
          ++others;
          continue;
        }
        gone_[entry] = 1;
        --left;
        // What is gone already is not among the smallest.
        sizes[entry] = kNever;
      }
    }
    for (const int32_t entry : smallestOf(sizes, std::clamp<int64_t>(left, 0, others))) gone_[entry] = 1;
  }

  /// Calls use(blockRow, sizes) for every block row that lives, with the sizes of its gradient's blocks. NaN,
  /// which never wins, is where nothing may grow: in columns that must stay empty, and where there is an
  /// entry, or with `returning` one that stays.
  template <typename Use>
  void overLiving(bool returning, const Use& use) {
    overGradientSizes(gradient_, layer_, grid_, [&](int64_t row, std::span<float> sizes) {
      if (!lives_[row]) return;
      for (int64_t column = 0; column < grid_.blockColumns(); ++column) {
        if (mustBeEmpty(column)) sizes[column] = kNever;
      }
      for (int64_t entry = pattern_.rowOffsets()[row]; entry < pattern_.rowOffsets()[row + 1]; ++entry) {
        if (!(returning && gone_[entry])) sizes[pattern_.columns()[entry]] = kNever;
      }
      use(row, sizes);
    });
  }

  void offer(TopPositions& best, int64_t row, std::span<const float> sizes) const {
    const int64_t first = row * grid_.blockColumns();
    for (size_t column = 0; column < sizes.size(); ++column) {
      best.offer(sizes[column], first + static_cast<int64_t>(column));
    }
  }

  /// Salient weights and positions of every block row.
  Array<int64_t> salientWeights() {
    Array<int64_t> salient(lives_.size(), 0);
    for (int64_t row = 0; row < grid_.blockRows(); ++row) salient[row] = keptIn(row);
    TopPositions best(moved_);
    overLiving(false, [&](int64_t row, std::span<const float> sizes) { offer(best, row, sizes); });
    for (const int64_t position : best.finish()) ++salient[position / grid_.blockColumns()];
    return salient;
  }

  int64_t keptIn(int64_t row) const {
    return std::count(gone_.begin() + pattern_.rowOffsets()[row],
                      gone_.begin() + pattern_.rowOffsets()[row + 1], 0);
  }

  int64_t living() const { return std::count(lives_.begin(), lives_.end(), 1); }

  void removeNeurons(const Array<int64_t>& salient) {
    struct Group {
      int64_t salient = 0;
      int64_t rows = 0;
      int64_t first = 0;
    };
    std::vector<Group> groups;
    for (int64_t first = 0; first < grid_.blockRows(); first += plan_.group) {
      Group group{0, std::min(plan_.group, grid_.blockRows() - first), first};
      for (int64_t row = first; row < first + group.rows; ++row) group.salient += salient[row];
      if (lives_[first]) groups.push_back(group);
    }
    // Per row, since the last group may have fewer.
    std::ranges::stable_sort(
        groups, [](const Group& a, const Group& b) { return a.salient * b.rows > b.salient * a.rows; });
    const int64_t needed =
        std::max<int64_t>(1, wholeShare(plan_.minimumSalient, pattern_.entries() / living()));
    // So many must live that the budget finds room in their rows.
    const int64_t leastLiving = std::max(plan_.leastLiving, divideUp(plan_.budget, columns()));
    int64_t rows = 0;
    for (const Group& group : groups) {
      if (rows < leastLiving || group.salient >= needed * group.rows) {
        rows += group.rows;
        continue;
      }
      for (int64_t row = group.first; row < group.first + group.rows; ++row) {
        lives_[row] = 0;
        move_.removed.push_back(static_cast<int32_t>(row));
      }
    }
    std::ranges::sort(move_.removed);
  }

  /// How many entries each block row is to have.
  Array<int64_t> fanIns() const {
    Array<int32_t> rows;
    for (int64_t row = 0; row < grid_.blockRows(); ++row) {
      if (lives_[row]) rows.push_back(static_cast<int32_t>(row));
    }
    std::ranges::stable_sort(rows, [&](int32_t a, int32_t b) { return keptIn(a) > keptIn(b); });
    const auto count = static_cast<int64_t>(rows.size());
    const int64_t entries = std::min(plan_.budget, count * columns());
    Array<int64_t> fanIns(lives_.size(), 0);
    for (int64_t i = 0; i < count; ++i) fanIns[rows[i]] = entries / count + (i < entries % count ? 1 : 0);
    return fanIns;
  }

  void grow(const Array<int64_t>& fanIns) {
    overLiving(true, [&](int64_t row, std::span<const float> sizes) {
      const int64_t missing = fanIns[row] - keptIn(row);
      TopPositions best(missing);
      offer(best, row, sizes);
      const Array<int64_t> grown = best.finish();
      require(static_cast<int64_t>(grown.size()) == missing, ErrorCode::Diverged,
              "the gradient of a layer is no longer a number; a smaller learning rate may help");
      move_.grown.insert(move_.grown.end(), grown.begin(), grown.end());
    });
  }

  const Pattern& pattern_;
  const Grid& grid_;
  const ReadGradient& gradient_;
  const size_t layer_;
  const SriglPlan& plan_;
  const int64_t moved_;
  const Array<float> sizes_;
  /// One for every block row.
  Array<uint8_t> lives_;
  /// One for every entry.
  Array<uint8_t> gone_;
  SriglMove move_;
};

}  // namespace

bool hasConstantFanIn(const Pattern& pattern) {
  int64_t least = std::numeric_limits<int64_t>::max(), most = 0;
  for (size_t row = 0; row + 1 < pattern.rowOffsets().size(); ++row) {
    const int64_t entries = pattern.rowOffsets()[row + 1] - pattern.rowOffsets()[row];
    if (entries == 0) continue;
    least = std::min(least, entries);
    most = std::max(most, entries);
  }
  return most - least <= 1;
}

SriglMove srigl(const Pattern& pattern, std::span<const float> values, const ReadGradient& gradient,
                size_t layer, const SriglPlan& plan) {
  return Rewiring(pattern, values, gradient, layer, plan).run();
}

}  // namespace espalier
