#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse/pattern.h"

namespace espalier {

/// `count` distinct block positions that are not kept, drawn uniformly; ascending. A Feistel bijection of the
/// inactive positions keyed by the seed gives ranks, and a binary search on kept[i] - i turns a rank into a
/// position, so neither a bitmap nor rejection is needed. kept: ascending, distinct. Throws Error(Option)
/// where there is no room.
Array<int64_t> growAtRandom(const Grid& grid, std::span<const int64_t> kept, int64_t count, uint64_t seed);

/// The `count` largest of a stream of (magnitude, position), exactly: larger magnitudes win, and of equal
/// ones the smaller position. NaN never wins. The outcome does not depend on the order in which they are
/// offered. Holds at most max(2 x count, 4096) candidates.
class TopPositions {
 public:
  explicit TopPositions(int64_t count);

  /// Begins with a threshold that the caller guesses, so that fewer candidates are looked at. Where it was
  /// too high, finish() gives fewer than `count` positions.
  void startAt(float threshold) {
    if (count_ > 0) threshold_ = threshold;
  }

  /// Every magnitude that is not at least this loses; never falls (NaN where nothing is kept). A vectorised
  /// caller may skip whole runs of such.
  float threshold() const { return threshold_; }

  /// magnitude: not negative, or NaN. Positions must be distinct over the life of this object and of those
  /// merged into it.
  void offer(float magnitude, int64_t position) {
    if (magnitude >= threshold_) consider({magnitude, position});
  }

  /// Takes the candidates of another stream.
  void merge(TopPositions&& other);

  /// The winners' positions, ascending: `count` of them, or all that were offered if fewer. Ends the stream.
  Array<int64_t> finish();

 private:
  struct Candidate {
    float magnitude;
    int64_t position;
  };
  static bool wins(const Candidate& a, const Candidate& b) {
    return a.magnitude > b.magnitude || (a.magnitude == b.magnitude && a.position < b.position);
  }
  void consider(const Candidate& candidate);
  /// Keeps the best `count` candidates and raises the threshold to the worst of them.
  void reduce();

  const int64_t count_;
  const size_t capacity_;
  Array<Candidate> candidates_;
  float threshold_ = 0;
  /// With the threshold: the worst candidate that is still in. Later equals must come before it.
  int64_t worstPosition_;
};

}  // namespace espalier
