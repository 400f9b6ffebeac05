#include "device/cuda/rewire/grow_by_gradient.h"

#include <array>
#include <cmath>
#include <limits>

#include "device/cuda/base/launch.h"
#include "device/cuda/pattern/scan.h"
#include "device/cuda/rewire/candidates.cuh"
#include "device/cuda/rewire/gradient_stream.h"
#include "device/cuda/rewire/select.cuh"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 256;
/// Positions of a thread that gathers, so that 1 x 1 is read 16 bytes at a time.
constexpr int kGathered = 4;
/// A sample has so many positions at least, and so many within the bound that it is to tell.
constexpr int64_t kSampleSize = int64_t{1} << 17;
constexpr double kSampleRank = 128;

/// The end of the keys that may win: of a selection that has come to `digit`, or of all keys.
struct Bound {
  const Selection* selection = nullptr;
  Digit digit;
  __device__ Key end() const { return selection == nullptr ? kEndKey : endAfter(*selection, digit); }
};

/// Appends the positions of a panel that lie within the bound and are not kept.
template <bool kSingle>
__global__ void __launch_bounds__(kThreads) gather(PanelKeys keys, Bound bound, Candidates candidates) {
  const Key end = bound.end();
  const int64_t size = keys.size();
  const int64_t first = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kGathered;
  uint32_t magnitudes[kGathered];
  if constexpr (kSingle) {
    const float4 four = first < size ? reinterpret_cast<const float4*>(keys.panel.gradient)[first / kGathered]
                                     : float4{0, 0, 0, 0};
    magnitudes[0] = __float_as_uint(four.x) & 0x7FFFFFFFu;
    magnitudes[1] = __float_as_uint(four.y) & 0x7FFFFFFFu;
    magnitudes[2] = __float_as_uint(four.z) & 0x7FFFFFFFu;
    magnitudes[3] = __float_as_uint(four.w) & 0x7FFFFFFFu;
  } else {
    for (int k = 0; k < kGathered; ++k) magnitudes[k] = first + k < size ? keys.magnitude(first + k) : 0;
  }
  uint32_t within = 0;
#pragma unroll
  for (int k = 0; k < kGathered; ++k) {
    // Most are told by the magnitude alone.
    if (first + k >= size || magnitudes[k] > kInfinityBits || 0x7FFFFFFFu - magnitudes[k] > end.major)
      continue;
    if (precedes(growKey(magnitudes[k], keys.position(first + k)), end) && keys.admits(first + k)) {
      within |= 1u << k;
    }
  }
  // One atomic a warp.
  const int lane = static_cast<int>(threadIdx.x) % 32;
  int own = __popc(within), inclusive = own;
  for (int distance = 1; distance < 32; distance *= 2) {
    const int other = __shfl_up_sync(0xFFFFFFFFu, inclusive, distance);
    if (lane >= distance) inclusive += other;
  }
  unsigned long long base = 0;
  if (lane == 31 && inclusive > 0) {
    base = atomicAdd(candidates.found, static_cast<unsigned long long>(inclusive));
  }
  base = __shfl_sync(0xFFFFFFFFu, base, 31);
  int64_t slot = static_cast<int64_t>(base) + inclusive - own;
#pragma unroll
  for (int k = 0; k < kGathered; ++k) {
    if ((within >> k & 1u) != 0) candidates.put(slot++, magnitudes[k], keys.position(first + k));
  }
}

/// Takes the winners among the candidates to their rows.
struct Winners {
  Candidates candidates;
  const Selection* selection;
  int32_t columns;

  __device__ bool at(int64_t i, int32_t& row, int32_t& column) const {
    if (i >= candidates.size()) return false;
    const int64_t position = candidates.position(i);
    if (!precedes(growKey(candidates.magnitudes[i], position), selection->key)) return false;
    row = static_cast<int32_t>(position / columns);
    column = static_cast<int32_t>(position % columns);
    return true;
  }
};

__global__ void __launch_bounds__(kThreads) countWinners(Winners winners, int32_t* counts) {
  int32_t row = 0, column = 0;
  if (winners.at(int64_t{blockIdx.x} * kThreads + threadIdx.x, row, column)) atomicAdd(&counts[row], 1);
}

__global__ void __launch_bounds__(kThreads) scatterWinners(Winners winners, int32_t* cursor, int32_t* items) {
  int32_t row = 0, column = 0;
  if (winners.at(int64_t{blockIdx.x} * kThreads + threadIdx.x, row, column)) {
    items[atomicAdd(&cursor[row], 1)] = column;
  }
}

/// One search for the winners.
class Search {
 public:
  Search(Context& context, DevicePattern& pattern, const Drops& drops, int64_t most, RewireState& state)
      : context_(context),
        pattern_(pattern),
        drops_(drops),
        most_(most),
        free_(pattern.grid().positions() - pattern.entries() + most),
        positionBits_(bitsOf(pattern.grid().positions())),
        state_(state) {
    reserveCandidates();
  }

  /// Fills the candidates with all that win and more; returns how many they are at most.
  int64_t collect(GradientStream& stream) {
    gatherWithin(stream, guessBound(stream));
    const Progress known = progress();
    const auto found = static_cast<int64_t>(known.found);
    if (found >= known.droppedCount() && found <= candidates_.capacity) return found;
    const Bound bound = findBound(stream);
    check(cudaMemsetAsync(candidates_.found, 0, sizeof(*candidates_.found), context_.stream.get()),
          "clear memory of the GPU");
    gatherWithin(stream, bound);
    return candidates_.capacity;
  }

  const Candidates& candidates() const { return candidates_; }
  int32_t positionBits() const { return positionBits_; }

 private:
  /// At least twice as many as can win, so that a bound need not be exact.
  void reserveCandidates() {
    candidates_.found = &state_.progress.data()->found;
    if (2 * most_ <= pattern_.entries()) {
      const DevicePattern::Loan loan = pattern_.lendTransposeView();
      candidates_.magnitudes = reinterpret_cast<uint32_t*>(loan.first);
      candidates_.low = reinterpret_cast<uint32_t*>(loan.second);
      candidates_.capacity = pattern_.entries();
    } else {
      own_ = DeviceBuffer<uint32_t>(context_.memory, 4 * most_);
      candidates_.magnitudes = own_.data();
      candidates_.low = own_.data() + 2 * most_;
      candidates_.capacity = 2 * most_;
    }
    if (positionBits_ > 32) {
      high_ = DeviceBuffer<uint32_t>(context_.memory, candidates_.capacity);
      candidates_.high = high_.data();
    }
  }

  /// A bound that a sample suggests, or none where everything fits.
  Bound guessBound(GradientStream& stream) {
    if (free_ <= candidates_.capacity) return {};
    // Between what is needed and what fits, as far from either.
    const double aim = std::sqrt(static_cast<double>(most_) * static_cast<double>(candidates_.capacity));
    const double share = aim / static_cast<double>(free_);
    const auto positions = static_cast<int64_t>(std::min(kSampleRank / share, 1e18));
    const GradientPanel sample = stream.makeSample(std::max(kSampleSize, positions));
    // Two digits are precise enough.
    const auto digits = digitsOf(0);
    for (const Digit& digit : {digits[0], digits[1]}) countDigit(sample, digit, Demand{nullptr, share}, true);
    return {&state_.progress.data()->bound, digits[1]};
  }

  /// Finds the exact bound, or one that lets no more through than fit: a digit in each walk over all panels.
  Bound findBound(GradientStream& stream) {
    for (const Digit& digit : digitsOf(positionBits_)) {
      for (int32_t panel = 0; panel < stream.panels(); ++panel) {
        countDigit(stream.make(panel), digit, Demand{state_.progress.data(), 0},
                   panel + 1 == stream.panels());
      }
      const Selection bound = progress().bound;
      require(bound.total >= bound.count, ErrorCode::Diverged,
              "the gradient of a layer is no longer a number; a smaller learning rate may help");
      if (bound.done || bound.before + bound.within <= candidates_.capacity) {
        return {&state_.progress.data()->bound, digit};
      }
    }
    throw Error(ErrorCode::Internal, "positions to grow at are not distinct");
  }

  void gatherWithin(GradientStream& stream, const Bound& bound) {
    for (int32_t panel = 0; panel < stream.panels(); ++panel) {
      const PanelKeys keys = keysOf(stream.make(panel));
      const int64_t positions = keys.panel.positions();
      const LaunchShape shape{static_cast<unsigned>(divideUp(positions, kThreads * kGathered)), kThreads, 0};
      launch(context_, pattern_.grid().block.size() == 1 ? gather<true> : gather<false>, shape, keys, bound,
             candidates_);
    }
  }

  void countDigit(const GradientPanel& panel, const Digit& digit, const Demand& demand, bool conclude) {
    queueDigit(context_, keysOf(panel), panel.positions(), digit, demand, conclude, state_.histogram.data(),
               &state_.progress.data()->bound);
  }

  PanelKeys keysOf(const GradientPanel& panel) const {
    const BlockShape block = pattern_.grid().block;
    return {panel, block.rows, block.columns, pattern_.csr(), drops_.view};
  }

  /// Waits for what was queued.
  Progress progress() const {
    Progress progress{};
    state_.progress.download({&progress, 1});
    return progress;
  }

  Context& context_;
  DevicePattern& pattern_;
  const Drops& drops_;
  const int64_t most_;
  /// Positions that are not kept.
  const int64_t free_;
  const int32_t positionBits_;
  RewireState& state_;
  Candidates candidates_;
  DeviceBuffer<uint32_t> own_;
  DeviceBuffer<uint32_t> high_;
};

}  // namespace

Grown growByGradient(Context& context, Blas& blas, DevicePattern& pattern, const Drops& drops, int64_t most,
                     const GradientSides& sides, int64_t scratchBytes, RewireState& state) {
  Search search(context, pattern, drops, most, state);
  int64_t found = 0;
  {
    // The panels' memory goes back before lists are made.
    GradientStream stream(context, blas, pattern.grid(), sides, pattern.entries(), scratchBytes);
    found = search.collect(stream);
  }
  Progress* const progress = state.progress.data();
  select(context, search.candidates(), found, search.positionBits(), Demand{progress, 0},
         state.histogram.data(), &progress->winners);

  const auto rows = static_cast<int32_t>(pattern.grid().blockRows());
  Grown grown{DeviceBuffer<int32_t>(context.memory, int64_t{rows} + 1),
              DeviceBuffer<int32_t>(context.memory, most), false};
  DeviceBuffer<int32_t> cursor(context.memory, rows);
  const Winners winners{search.candidates(), &progress->winners,
                        static_cast<int32_t>(pattern.grid().blockColumns())};
  const auto blocks = static_cast<unsigned>(divideUp(found, kThreads));
  grown.offsets.clear();
  launch(context, countWinners, {blocks, kThreads, 0}, winners, grown.offsets.data());
  scanCounts(context, grown.offsets.data(), rows, grown.offsets.data(), cursor.data());
  launch(context, scatterWinners, {blocks, kThreads, 0}, winners, cursor.data(), grown.items.data());
  return grown;
}

}  // namespace espalier::cuda
