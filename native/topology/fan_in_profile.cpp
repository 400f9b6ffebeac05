#include "topology/fan_in_profile.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "topology/share_out.h"

namespace espalier {
namespace {

/// Share of the target within which a bisection over real numbers ends.
constexpr double kExact = 1e-13;

template <typename T>
double variation(const std::vector<T>& counts) {
  const auto n = static_cast<double>(counts.size());
  double sum = 0, squares = 0;
  for (const T count : counts) sum += static_cast<double>(count);
  const double mean = sum / n;
  for (const T count : counts) {
    const double distance = static_cast<double>(count) - mean;
    squares += distance * distance;
  }
  return std::sqrt(squares / n) / mean;
}

/// Halves the way from `flat` to `steep` until what is measured there, which rises, is the target within this
/// share of it.
template <typename Measure>
double bisect(double flat, double steep, double target, double tolerance, const Measure& measure) {
  constexpr int kHalvings = 100;
  double middle = flat;
  for (int i = 0; i < kHalvings; ++i) {
    middle = flat + (steep - flat) / 2;
    if (middle == flat || middle == steep) break;
    const double found = measure(middle);
    if (std::abs(found - target) <= tolerance * target) break;
    (found < target ? flat : steep) = middle;
  }
  return middle;
}

/// Scales ascending weights > 0 in place so that, clamped to lowest .. highest, they add up to the total.
void scaleToTotal(std::vector<double>& weights, double lowest, double highest, double total) {
  std::vector<double> before(weights.size() + 1, 0);
  std::partial_sum(weights.begin(), weights.end(), before.begin() + 1);
  const auto below = [&](double limit) {
    return std::lower_bound(weights.begin(), weights.end(), limit) - weights.begin();
  };
  const auto size = static_cast<std::ptrdiff_t>(weights.size());
  const auto sumAt = [&](double logScale) {
    const double scale = std::exp(logScale);
    const auto low = below(lowest / scale), high = std::max(low, below(highest / scale));
    return lowest * static_cast<double>(low) + highest * static_cast<double>(size - high) +
           scale * (before[high] - before[low]);
  };
  // At one end no weight is above the mean share, at the other none below it.
  const double share = std::log(total / static_cast<double>(size));
  const double from = share - std::log(weights.back()), to = share - std::log(weights.front());
  const double scale = std::exp(bisect(from, to, total, kExact, sumAt));
  for (double& weight : weights) weight = std::clamp(scale * weight, lowest, highest);
}

/// Neighbours of equal fan-in, in ascending order of it.
struct Run {
  int64_t count = 0;
  size_t first = 0;
  size_t last = 0;
};

std::vector<Run> runsOf(const std::vector<int64_t>& ascending) {
  std::vector<Run> runs;
  for (size_t i = 0; i < ascending.size(); ++i) {
    if (runs.empty() || runs.back().count != ascending[i]) runs.push_back({ascending[i], i, i});
    runs.back().last = i;
  }
  return runs;
}

/// Moves single connections, keeping the order and the bounds, as long as the sum of squares comes nearer to
/// the one asked.
void approach(std::vector<int64_t>& ascending, double squares, int64_t lowest, int64_t highest) {
  for (;;) {
    double missing = squares;
    for (const int64_t count : ascending) missing -= static_cast<double>(count * count);
    const std::vector<Run> runs = runsOf(ascending);
    double best = std::abs(missing);
    size_t from = 0, to = 0;
    const auto consider = [&](size_t giver, size_t taker, int64_t change) {
      const double left = std::abs(missing - static_cast<double>(change));
      if (left >= best) return;
      best = left;
      from = giver;
      to = taker;
    };
    for (const Run& low : runs) {
      for (const Run& high : runs) {
        const int64_t apart = high.count - low.count;
        // The poorest gives to the richest, or the other way round.
        if (apart >= 0 && low.first != high.last && low.count > lowest && high.count < highest)
          consider(low.first, high.last, 2 * (apart + 1));
        if (apart >= 2) consider(high.first, low.last, -2 * (apart - 1));
      }
    }
    if (from == to) return;
    --ascending[from];
    ++ascending[to];
  }
}

/// In a layer of a few neurons single connections may lead nowhere. Tries the lists whose entries, but for
/// the first and the last, lie near those given, and solves for these two; takes the one whose sum of squares
/// is nearest to the one asked.
class SmallSearch {
 public:
  static constexpr size_t kMostNeurons = 8;

  SmallSearch(std::vector<int64_t>& ascending, double squares, int64_t lowest, int64_t highest)
      : counts_(ascending), lowest_(lowest), highest_(highest), trial_(ascending) {
    constexpr double kLists = 1 << 17;
    const auto between = static_cast<double>(counts_.size()) - 2;
    window_ = between > 0 ? static_cast<int64_t>((std::pow(kLists, 1 / between) - 1) / 2) : 0;
    const int64_t sum = std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
    squares_ = squares;
    least_ = static_cast<double>(sum) * static_cast<double>(sum) / static_cast<double>(counts_.size());
    double missing = squares;
    for (const int64_t count : counts_) missing -= static_cast<double>(count * count);
    best_ = distance(missing);
    choose(1, sum, squares);
    std::ranges::sort(counts_);
  }

 private:
  void choose(size_t index, int64_t sum, double squares) {
    if (index + 1 == trial_.size()) {
      solve(sum, squares);
      return;
    }
    const int64_t given = trial_[index];
    const int64_t from = std::max(lowest_, given - window_), to = std::min(highest_, given + window_);
    for (int64_t count = from; count <= to && count <= sum; ++count) {
      trial_[index] = count;
      choose(index + 1, sum - count, squares - static_cast<double>(count * count));
    }
    trial_[index] = given;
  }

  /// How far a list is from the spread asked whose sum of squares lacks so much: in deviations, as the CV is.
  double distance(double missing) const {
    return std::abs(std::sqrt(std::max(0.0, squares_ - missing - least_)) - std::sqrt(squares_ - least_));
  }

  /// x + y is the sum and x^2 + y^2 nearest to the squares: they lie sqrt(2 squares - sum^2) apart.
  void solve(int64_t sum, double squares) {
    const double apart = std::sqrt(std::max(0.0, 2 * squares - static_cast<double>(sum * sum)));
    const auto near = static_cast<int64_t>(apart);
    for (int64_t gap = std::max<int64_t>(0, near - 1); gap <= near + 2; ++gap) {
      const int64_t low = (sum - gap) / 2, high = sum - low;
      if (low < lowest_ || high > highest_) continue;
      const double error = distance(squares - static_cast<double>(low * low + high * high));
      if (error >= best_) continue;
      best_ = error;
      counts_ = trial_;
      counts_.front() = low;
      counts_.back() = high;
    }
  }

  std::vector<int64_t>& counts_;
  const int64_t lowest_;
  const int64_t highest_;
  std::vector<int64_t> trial_;
  int64_t window_ = 0;
  /// The sum of squares asked, and the least that any list of this sum has.
  double squares_ = 0;
  double least_ = 0;
  double best_ = 0;
};

/// The profiles of one family over one layer, one for each s.
class Profiles {
 public:
  Profiles(ProfileFamily family, const ProfileSize& size)
      : family_(family), size_(size), most_(static_cast<size_t>(size.neurons), size.inputs) {
    const auto n = static_cast<size_t>(size.neurons);
    std::vector<double> ranks(n);
    for (size_t i = 0; i < n; ++i) ranks[i] = profileRank(family, static_cast<int64_t>(i), size.neurons);
    order_.resize(n);
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return ranks[a] < ranks[b]; });
    for (const size_t i : order_) ranks_.push_back(ranks[i]);
    range_ = shapeRange(family, ranks_.front(), ranks_.back());
  }

  const ShapeRange& range() const { return range_; }

  /// By neuron.
  std::vector<double> real(double shape) const {
    std::vector<double> scaled(ranks_.size());
    // f relative to its largest value.
    const double top = logProfile(family_, ranks_.back(), shape);
    for (size_t i = 0; i < ranks_.size(); ++i)
      scaled[i] = std::exp(logProfile(family_, ranks_[i], shape) - top);
    scaleToTotal(scaled, static_cast<double>(lowest()), static_cast<double>(size_.inputs),
                 static_cast<double>(size_.connections));
    std::vector<double> result(scaled.size());
    for (size_t i = 0; i < scaled.size(); ++i) result[order_[i]] = scaled[i];
    return result;
  }

  FanInProfile rounded(double shape) const {
    return profileOf(roundToTotal(real(shape), most_, size_.connections));
  }

  /// Moves single connections from neuron to neuron as long as that brings the CV nearer to the one asked;
  /// who has more than another by the family still has, or as many.
  FanInProfile adjusted(FanInProfile profile, double cv) const {
    // By count, and within a count by rank.
    std::vector<size_t> order = order_;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return profile.counts[a] < profile.counts[b]; });
    std::vector<int64_t> ascending;
    for (const size_t i : order) ascending.push_back(profile.counts[i]);
    const double mean = static_cast<double>(size_.connections) / static_cast<double>(size_.neurons);
    const double squares = static_cast<double>(size_.connections) * mean * (1 + cv * cv);
    if (ascending.size() <= SmallSearch::kMostNeurons && ascending.size() > 1) {
      SmallSearch(ascending, squares, lowest(), size_.inputs);
    } else {
      approach(ascending, squares, lowest(), size_.inputs);
    }
    for (size_t i = 0; i < order.size(); ++i) profile.counts[order[i]] = ascending[i];
    return profileOf(std::move(profile.counts));
  }

 private:
  /// Every neuron gets a connection where there are enough.
  int64_t lowest() const { return size_.connections < size_.neurons ? 0 : 1; }

  static FanInProfile profileOf(std::vector<int64_t> counts) {
    const double cv = variation(counts);
    return {std::move(counts), cv};
  }

  const ProfileFamily family_;
  const ProfileSize size_;
  const std::vector<int64_t> most_;
  /// Neurons in the order of their ranks, and these.
  std::vector<size_t> order_;
  std::vector<double> ranks_;
  ShapeRange range_;
};

/// The shape whose real profile has this CV; the steepest where none has.
double shapeFor(const Profiles& profiles, double cv) {
  const auto [flat, steepest] = profiles.range();
  const auto measure = [&](double shape) { return variation(profiles.real(shape)); };
  if (cv <= measure(flat)) return flat;
  if (cv >= measure(steepest)) return steepest;
  return bisect(flat, steepest, cv, kExact, measure);
}

/// The rounded profile whose CV is nearest: it climbs with s in steps, and the last step is made by single
/// connections.
FanInProfile nearest(const Profiles& profiles, double cv, FanInProfile best) {
  const auto tryShape = [&](double shape) {
    FanInProfile found = profiles.rounded(shape);
    const double reached = found.cv;
    if (std::abs(reached - cv) < std::abs(best.cv - cv)) best = std::move(found);
    return reached;
  };
  const auto [flat, steepest] = profiles.range();
  // No whole numbers vary less than those that differ by one at most.
  if (tryShape(flat) >= cv) return best;
  bisect(flat, steepest, cv, 1e-3, tryShape);
  if (isNear(best.cv, cv)) return best;
  FanInProfile adjusted = profiles.adjusted(best, cv);
  return std::abs(adjusted.cv - cv) < std::abs(best.cv - cv) ? adjusted : best;
}

std::string shown(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

}  // namespace

FanInProfile fanInProfile(ProfileFamily family, double cv, const ProfileSize& size,
                          const std::string& whose) {
  require(size.neurons > 0 && size.connections > 0 &&
              size.connections <= checkedProduct(size.neurons, size.inputs),
          ErrorCode::Option,
          std::to_string(size.connections) + " connections do not fit between " +
              std::to_string(size.inputs) + " inputs and " + std::to_string(size.neurons) + " outputs");
  require(cv >= 0 && std::isfinite(cv), ErrorCode::Option, "cv is " + shown(cv) + "; allowed: cv >= 0");
  const Profiles profiles(family, size);
  const double reach = variation(profiles.real(profiles.range().steepest));
  // Rounded down, so that what the message names is within the reach.
  const double named = std::floor(reach * 1e4) / 1e4;
  require(cv <= reach * (1 + 1e-9) + 1e-12, ErrorCode::Option,
          "cv is " + shown(cv) + " for " + whose + ": with " + std::to_string(size.connections) +
              " connections between " + std::to_string(size.inputs) + " inputs and " +
              std::to_string(size.neurons) + " outputs a " + nameOf(family) + " profile reaches 0 to " +
              shown(named));
  FanInProfile profile = profiles.rounded(shapeFor(profiles, cv));
  return isNear(profile.cv, cv) ? profile : nearest(profiles, cv, std::move(profile));
}

}  // namespace espalier
