#include "topology/share_out.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace espalier {
namespace {

/// Real shares of a total among those of weight, none beyond its most.
std::vector<double> proportional(double total, std::span<const double> weights,
                                 std::span<const int64_t> most) {
  std::vector<double> shares(weights.size(), 0);
  std::vector<bool> full(weights.size(), false);
  for (bool again = true; again;) {
    double left = total, weight = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      left -= full[i] ? shares[i] : 0;
      weight += full[i] ? 0 : weights[i];
    }
    again = false;
    for (size_t i = 0; i < weights.size(); ++i) {
      if (full[i] || weights[i] <= 0) continue;
      const auto limit = static_cast<double>(most[i]);
      shares[i] = std::max(0.0, left) * (weights[i] / weight);
      if (shares[i] < limit) continue;
      shares[i] = limit;
      full[i] = again = true;
    }
  }
  return shares;
}

}  // namespace

std::vector<int64_t> roundToTotal(std::span<const double> values, std::span<const int64_t> most,
                                  int64_t total) {
  std::vector<int64_t> counts(values.size());
  int64_t rest = total;
  for (size_t i = 0; i < values.size(); ++i) {
    counts[i] = std::min(static_cast<int64_t>(std::floor(values[i])), most[i]);
    rest -= counts[i];
  }
  const auto remainder = [&](size_t i) { return values[i] - static_cast<double>(counts[i]); };
  // Once, but for rounding errors of the values.
  while (rest > 0) {
    std::vector<size_t> open;
    for (size_t i = 0; i < values.size(); ++i) {
      if (counts[i] < most[i]) open.push_back(i);
    }
    require(!open.empty(), ErrorCode::Internal, "more to share out than there is room for");
    const auto taken = std::min(open.size(), static_cast<size_t>(rest));
    const auto last = open.begin() + static_cast<std::ptrdiff_t>(taken);
    if (last != open.end()) {
      std::nth_element(open.begin(), last, open.end(), [&](size_t a, size_t b) {
        const double one = remainder(a), other = remainder(b);
        return one != other ? one > other : a < b;
      });
    }
    for (auto i = open.begin(); i != last; ++i) ++counts[*i];
    rest -= static_cast<int64_t>(taken);
  }
  require(rest == 0, ErrorCode::Internal, "values that add up to more than their total");
  return counts;
}

std::vector<int64_t> shareOut(int64_t total, std::span<const double> weights, std::span<const int64_t> most) {
  int64_t weighty = 0;
  for (size_t i = 0; i < weights.size(); ++i) weighty += weights[i] > 0 ? most[i] : 0;
  if (total <= weighty)
    return roundToTotal(proportional(static_cast<double>(total), weights, most), most, total);
  // Those of weight are full.
  std::vector<double> room(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) room[i] = weights[i] > 0 ? 0 : static_cast<double>(most[i]);
  std::vector<double> shares = proportional(static_cast<double>(total - weighty), room, most);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) shares[i] = static_cast<double>(most[i]);
  }
  return roundToTotal(shares, most, total);
}

}  // namespace espalier
