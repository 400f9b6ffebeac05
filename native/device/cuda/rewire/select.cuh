#pragma once

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "base/share.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/pattern/block_sum.cuh"
#include "device/cuda/rewire/selection.h"

namespace espalier::cuda {

// Radix select: counts the keys by one digit, finds the digit at which the asked number is reached, goes on
// with the keys that share it. A source of keys, passed to kernels by value, is a type with
//   static constexpr int kKinds;                      1, or 2 kinds of keys selected apart
//   int64_t size() const;
//   bool read(int64_t i, int& kind, Key& key) const;  false where i is no key
//   bool admits(int64_t i) const;                     a dearer test, asked only of keys that still matter

inline constexpr int kSelectThreads = 256;

/// How many to select of each kind: as many as were dropped, or else a share of its keys.
struct Demand {
  const Progress* asDropped = nullptr;
  double share = 0;

  __device__ int64_t of(int64_t total) const {
    return asDropped != nullptr ? asDropped->droppedCount() : wholeShare(share, total);
  }
};

/// Finds the digit in the counts of one kind, and clears them. For a whole block.
__device__ __forceinline__ void concludeDigit(unsigned long long* bins, const Digit& digit,
                                              const Demand& demand, const Selection& known,
                                              Selection& selection) {
  constexpr int kOwn = kBins / kSelectThreads;
  const int first = static_cast<int>(threadIdx.x) * kOwn;
  unsigned long long own[kOwn];
  unsigned long long sum = 0, all = 0;
#pragma unroll
  for (int k = 0; k < kOwn; ++k) {
    own[k] = atomicExch(&bins[first + k], 0ull);
    sum += own[k];
  }
  unsigned long long before = exclusiveSum<kSelectThreads>(sum, all);

  Selection found = known;
  if (digit.first) {
    found = Selection{};
    found.total = static_cast<int64_t>(all);
    found.count = demand.of(found.total);
    if (found.count == 0 || found.count >= found.total) {
      found.done = true;
      found.key = found.count == 0 ? kFirstKey : kEndKey;
      found.before = found.count == 0 ? 0 : found.total;
      if (threadIdx.x == 0) selection = found;
      return;
    }
  }
  // One thread has the bin in which the number is reached.
  const auto wanted = static_cast<unsigned long long>(found.count - found.before);
  if (wanted <= before || wanted > before + sum) return;
  int bin = 0;
  unsigned long long reached = before, within = 0;
#pragma unroll
  for (int k = 0; k < kOwn; ++k) {
    if (before < wanted) {
      bin = first + k;
      reached = before;
      within = own[k];
    }
    before += own[k];
  }
  found.before += static_cast<int64_t>(reached);
  found.within = static_cast<int64_t>(within);
  if (digit.ofMinor) {
    found.key.minor |= static_cast<uint64_t>(bin) << digit.shift;
  } else {
    found.key.major |= static_cast<uint32_t>(bin) << digit.shift;
  }
  if (found.before + found.within == found.count) {
    found.key = endAfter(found, digit);
    found.before = found.count;
    found.within = 0;
    found.done = true;
  }
  selection = found;
}

/// Counts the keys that share the digits found so far; with `conclude`, the last block to end finds the
/// digit.
template <typename Source>
__global__ void __launch_bounds__(kSelectThreads, 4)
    selectByDigit(Source source, Digit digit, Demand demand, bool conclude, Histogram* histogram,
                  Selection* selections) {
  constexpr int kKinds = Source::kKinds;
  __shared__ unsigned bins[kKinds * kBins];
  __shared__ Selection known[kKinds];
  __shared__ bool last;
  if (threadIdx.x < kKinds) known[threadIdx.x] = selections[threadIdx.x];
  for (int i = static_cast<int>(threadIdx.x); i < kKinds * kBins; i += kSelectThreads) bins[i] = 0;
  __syncthreads();
  if (!digit.first && known[0].done && known[kKinds - 1].done) return;
  const int64_t size = source.size();
  const int64_t step = int64_t{gridDim.x} * kSelectThreads;
  for (int64_t i = int64_t{blockIdx.x} * kSelectThreads + threadIdx.x; i < size; i += step) {
    int kind = 0;
    Key key{};
    if (!source.read(i, kind, key)) continue;
    const Selection& own = known[kKinds == 1 ? 0 : kind];
    if (!digit.first && (own.done || !sharesDigits(key, own, digit))) continue;
    if (source.admits(i)) atomicAdd(&bins[kind * kBins + digitOf(key, digit)], 1u);
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < kKinds * kBins; i += kSelectThreads) {
    if (bins[i] != 0) {
      atomicAdd(&histogram->bins[i / kBins][i % kBins], static_cast<unsigned long long>(bins[i]));
    }
  }
  if (!conclude) return;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(&histogram->ticket, 1u) == gridDim.x - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
#pragma unroll
  for (int kind = 0; kind < kKinds; ++kind) {
    if (digit.first || !known[kind].done) {
      concludeDigit(histogram->bins[kind], digit, demand, known[kind], selections[kind]);
    }
  }
  if (threadIdx.x == 0) histogram->ticket = 0;
}

/// Blocks that a walk over so many keys takes: at least one, which has the conclusion to draw.
inline unsigned selectBlocks(const Context& context, int64_t size) {
  constexpr int64_t kKeysOfThread = 8;
  return static_cast<unsigned>(std::clamp<int64_t>(divideUp(size, kSelectThreads * kKeysOfThread), 1,
                                                   int64_t{4} * context.card.multiprocessors));
}

/// Queues one digit. size: at least source.size(), as far as the host knows.
template <typename Source>
void queueDigit(Context& context, const Source& source, int64_t size, const Digit& digit,
                const Demand& demand, bool conclude, Histogram* histogram, Selection* selections) {
  launch(context, selectByDigit<Source>, {selectBlocks(context, size), kSelectThreads, 0}, source, digit,
         demand, conclude, histogram, selections);
}

/// Queues a whole selection: `selections` (kKinds of them, on the card) are done afterwards. minorBits: of
/// the keys' minor part.
template <typename Source>
void select(Context& context, const Source& source, int64_t size, int32_t minorBits, const Demand& demand,
            Histogram* histogram, Selection* selections) {
  for (const Digit& digit : digitsOf(minorBits)) {
    queueDigit(context, source, size, digit, demand, true, histogram, selections);
  }
}

}  // namespace espalier::cuda
