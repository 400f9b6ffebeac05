#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse/pattern.h"

namespace espalier {

/// The `count` entries to drop by magnitude, ascending indices: the smallest |weight|, or for blocks the
/// smallest sum of squares (summed in double, compared as float32). Of equals the one with the smaller index
/// is kept. NaN counts as largest. values: pattern.values(). Throws Error(Internal) unless 0 <= count <=
/// entries.
Array<int32_t> smallestEntries(const Pattern& pattern, std::span<const float> values, int64_t count);

/// What smallestEntries compares: |weight| of every entry, or for blocks the sum of squares.
Array<float> entrySizes(const Pattern& pattern, std::span<const float> values);

/// The same choice by sizes of the caller's own, one for each entry, whose sign does not matter.
Array<int32_t> smallestOf(std::span<const float> sizes, int64_t count);

/// SET's rule: of the negative weights the share `fraction` nearest zero, and of the others likewise, each
/// rounded down; ascending indices. Of equals the one with the smaller index is kept. A block of more than
/// one weight has no sign: there the share is taken by magnitude, as smallestEntries does. fraction: 0..1.
Array<int32_t> smallestBySign(const Pattern& pattern, std::span<const float> values, double fraction);

}  // namespace espalier
