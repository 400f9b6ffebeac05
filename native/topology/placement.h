#pragma once

#include <cstdint>
#include <span>

#include "sparse/pattern.h"

namespace espalier {

/// Which inputs a neuron of a given fan-in gets.
enum class InputPlacement {
  /// Neuron i starts at phi_i = floor(i x 1.6180339887 x in) mod in; its k inputs are
  /// (phi_i + floor(j x in / k)) mod in for j < k: spread evenly, and distinct for every k <= in. The offsets
  /// are those of Tomczak (arXiv 2604.10560); which inputs follow from one is ours.
  Golden,
  /// Drawn uniformly without replacement, from a stream of each neuron's own.
  Random
};

/// A pattern of which each block row has so many blocks: counts[row], 0 to grid.blockColumns(). Both
/// placements count in blocks. seed: of Random. Throws Error(Option) where a count is out of range or there
/// are too many.
Pattern placeInputs(const Grid& grid, std::span<const int64_t> counts, InputPlacement placement,
                    uint64_t seed);

}  // namespace espalier
