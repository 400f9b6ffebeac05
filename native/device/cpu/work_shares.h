#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "device/cpu/kernels/kernels.h"

namespace espalier::cpu {

/// Part `part` of `parts` of count items, equal to within `unit` items.
inline Range evenShare(int64_t count, int part, int parts, int64_t unit = 1) {
  const int64_t units = divideUp(count, unit);
  return {std::min(count, units * part / parts * unit), std::min(count, units * (part + 1) / parts * unit)};
}

/// The threads that take one panel through the network together: all of them, or one alone.
class Team {
 public:
  static Team all(ThreadPool& pool, int thread) { return Team(&pool, thread, pool.threads()); }
  static Team alone() { return Team(nullptr, 0, 1); }

  int member() const { return member_; }
  int members() const { return members_; }
  Range share(int64_t count, int64_t unit = 1) const { return evenShare(count, member_, members_, unit); }
  void barrier() const {
    if (pool_ != nullptr) pool_->barrier();
  }

 private:
  Team(ThreadPool* pool, int member, int members) : pool_(pool), member_(member), members_(members) {}

  ThreadPool* pool_;
  int member_;
  int members_;
};

/// Rows divided so that every part has about as many nonzeros.
class RowShares {
 public:
  RowShares() = default;

  /// offsets: first entry of each row and the end; valuesPerEntry: weights of an entry; unit: parts begin
  /// with a multiple of it.
  RowShares(std::span<const int64_t> offsets, int64_t valuesPerEntry, int parts, int64_t unit = 1)
      : bounds_(static_cast<size_t>(parts) + 1) {
    constexpr int64_t kRowCost = 8;  // storing a row costs about as much as so many nonzeros
    const auto rows = static_cast<int64_t>(offsets.size()) - 1;
    const auto work = [&](int64_t row) { return offsets[row] * valuesPerEntry + row * kRowCost; };
    bounds_.back() = rows;
    int64_t row = 0;
    for (int part = 1; part < parts; ++part) {
      const double target = static_cast<double>(work(rows)) * part / parts;
      while (row < rows && static_cast<double>(work(row)) < target) row = std::min(row + unit, rows);
      bounds_[part] = row;
    }
  }

  /// A member's rows; parts is the size of the team, unless that is one thread alone.
  Range of(const Team& team) const {
    if (team.members() == 1) return {0, bounds_.back()};
    return of(team.member());
  }
  Range of(int member) const { return {bounds_[member], bounds_[member + 1]}; }

 private:
  std::vector<int64_t> bounds_{0, 0};
};

}  // namespace espalier::cpu
