#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace espalier {

/// Whole numbers near values that add up to the total: each is rounded down, and those with the largest
/// remainders, the first of equals, get one more, none beyond its most. values: within rounding error of
/// adding up to the total, none above its most.
std::vector<int64_t> roundToTotal(std::span<const double> values, std::span<const int64_t> most,
                                  int64_t total);

/// A total in proportion to weights >= 0, none beyond its most: what one cannot hold goes to the others in
/// proportion, and once all of weight are full, to the rest by what they can hold. total: at most the sum of
/// most.
std::vector<int64_t> shareOut(int64_t total, std::span<const double> weights, std::span<const int64_t> most);

}  // namespace espalier
