#pragma once

#include <cstdint>

#include "base/aligned_buffer.h"

namespace espalier::bench {

/// Normal numbers of this deviation. They repeat after some ten thousand, which no product notices, so that
/// large networks are there at once.
AlignedBuffer<float> randomNumbers(int64_t size, uint64_t seed, float deviation = 1);

/// Weights of a dense layer, outputs x inputs, of deviation sqrt(2 / inputs).
AlignedBuffer<float> heWeights(int64_t outputs, int64_t inputs, uint64_t seed);

}  // namespace espalier::bench
