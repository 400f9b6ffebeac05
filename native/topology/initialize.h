#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "base/portable.h"
#include "sparse/pattern.h"

namespace espalier {

/// Distribution of a fresh weight; all are normal with mean 0.
enum class InitializationKind {
  /// Deviation sqrt(2 / fan-in), fan-in being the connections that the output really has (He et al., 2015;
  /// for sparse
  /// layers Evci et al., 2022).
  He,
  /// Deviation sqrt(2 / (fan-in + fan-out)), both counted in the pattern (Glorot and Bengio, 2010).
  Xavier,
  /// The deviation given.
  Normal,
  Zeros
};

struct Initialization {
  InitializationKind kind = InitializationKind::He;
  /// Of Normal; ignored by the others.
  float deviation = 0;
};

/// Deviation of a weight between an input of this fan-out and an output of this fan-in.
ESPALIER_HOST_DEVICE inline double deviationOf(const Initialization& initialization, int64_t fanIn,
                                               int64_t fanOut) {
  switch (initialization.kind) {
    case InitializationKind::He:
      return std::sqrt(2.0 / static_cast<double>(std::max<int64_t>(fanIn, 1)));
    case InitializationKind::Xavier:
      return std::sqrt(2.0 / static_cast<double>(std::max<int64_t>(fanIn + fanOut, 1)));
    case InitializationKind::Normal:
      return initialization.deviation;
    case InitializationKind::Zeros:
      break;
  }
  return 0;
}

/// Fills every weight of a pattern. The normal number of a weight is keyed by (seed, output x columns +
/// input) alone, so it is the same for every block shape and on every device. values: pattern.values();
/// padding becomes 0.
void initializeWeights(const Pattern& pattern, const Initialization& initialization, uint64_t seed,
                       std::span<float> values);

/// Fills the weights of the given entries, those that a rewiring has laid; the others stay as they are.
/// Fan-in and fan-out are those of the new pattern.
void initializeNewWeights(const Pattern& pattern, std::span<const int32_t> entries,
                          const Initialization& initialization, uint64_t seed, std::span<float> values);

/// Fills a dense matrix of outputs x inputs, row-major, with the numbers that a full pattern would get.
void initializeDense(int64_t outputs, int64_t inputs, const Initialization& initialization, uint64_t seed,
                     std::span<float> values);

}  // namespace espalier
