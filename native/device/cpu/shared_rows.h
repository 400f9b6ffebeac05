#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "device/cpu/work_shares.h"

namespace espalier::cpu {

/// Rows that the members of a team divide while they work on them, so that a slower one holds nobody up: on a
/// core that another program takes time from, or on a smaller one. Each begins with a share of its own, of
/// which it takes half of what is left at a time; whoever has none left takes half of another's, at the back.
class SharedRows {
 public:
  SharedRows() = default;

  /// unit: rows that are taken together at least, from the beginning of a share; 0 where everybody is to keep
  /// to its share.
  SharedRows(RowShares shares, int parts, int64_t unit)
      : shares_(std::move(shares)), unit_(unit), left_(std::make_unique<Left[]>(static_cast<size_t>(parts))) {
    for (int part = 0; part < parts && unit_ > 0; ++part) {
      while (divideUp(shares_.of(part).size(), unit_) > kMostUnits) unit_ *= 2;
    }
  }

  /// A member's share to begin with.
  Range share(const Team& team) const { return shares_.of(team); }

  /// Calls work(rows) on ranges that, over all members, make up all rows, none of them twice. Every member
  /// calls this as often as the others do, and waits for nobody.
  template <typename Work>
  void divide(const Team& team, const Work& work) const {
    const Range own = share(team);
    if (team.members() == 1 || unit_ == 0) return work(own);
    const uint64_t round = left_[team.member()].begin(static_cast<uint64_t>(divideUp(own.size(), unit_)));
    for (int ahead = 0; ahead < team.members(); ++ahead) {
      const int member = (team.member() + ahead) % team.members();
      const Range rows = shares_.of(member);
      for (Range units; left_[member].takeHalf(round, ahead == 0, units);)
        work(Range{rows.begin + units.begin * unit_, std::min(rows.begin + units.end * unit_, rows.end)});
    }
  }

 private:
  static constexpr int kUnitBits = 24;
  static constexpr int64_t kMostUnits = (int64_t{1} << kUnitBits) - 1;

  /// The units of a share that nobody has taken. The number of the call keeps members apart of whom one has
  /// gone on to the next.
  class alignas(64) Left {
   public:
    /// Begins the owner's next call, and returns its number.
    uint64_t begin(uint64_t units) {
      const uint64_t round = roundOf(word_.load(std::memory_order_relaxed) + word(1, 0, 0));
      word_.store(word(round, 0, units), std::memory_order_release);
      return round;
    }

    bool takeHalf(uint64_t round, bool atFront, Range& taken) {
      uint64_t seen = word_.load(std::memory_order_acquire);
      for (;;) {
        const uint64_t first = seen >> kUnitBits & kMostUnits, end = seen & kMostUnits;
        if (first == end || roundOf(seen) != round) return false;
        const uint64_t half = (end - first + 1) / 2, begin = atFront ? first : end - half;
        const uint64_t rest = atFront ? word(round, first + half, end) : word(round, first, begin);
        if (word_.compare_exchange_weak(seen, rest, std::memory_order_acq_rel, std::memory_order_acquire)) {
          taken = {static_cast<int64_t>(begin), static_cast<int64_t>(begin + half)};
          return true;
        }
      }
    }

   private:
    static uint64_t word(uint64_t round, uint64_t first, uint64_t end) {
      return round << 2 * kUnitBits | first << kUnitBits | end;
    }
    static uint64_t roundOf(uint64_t word) { return word >> 2 * kUnitBits; }

    std::atomic<uint64_t> word_{0};
  };

  RowShares shares_;
  int64_t unit_ = 0;
  std::unique_ptr<Left[]> left_;
};

}  // namespace espalier::cpu
