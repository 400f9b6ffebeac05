#include "device/cuda/rewire/merge_rows.h"

#include "device/cuda/base/launch.h"
#include "device/cuda/base/shared_memory.cuh"
#include "device/cuda/pattern/bit_window.cuh"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 128;

struct Merge {
  CsrArrays csr;
  DropView drops;
  const int32_t* keptOffsets;
  const int32_t* grownOffsets;
  const int32_t* items;
  bool ranks;
  bool returnedKeepState;
  int32_t* columns;
  int32_t* source;
  unsigned long long* returned;
};

/// The place of the 1 bit that has `rank` 1 bits before it.
__device__ __forceinline__ int32_t bitOfRank(uint32_t bits, int32_t rank) {
  for (; rank > 0; --rank) bits &= bits - 1;
  return __ffs(static_cast<int>(bits)) - 1;
}

/// The word that holds the item with `rank` items before it: the last one with no more than `rank` before it.
__device__ __forceinline__ int32_t wordOfRank(const int32_t* before, int32_t words, int32_t rank) {
  int32_t begin = 0, end = words;
  while (end - begin > 1) {
    const int32_t middle = begin + (end - begin) / 2;
    if (before[middle] <= rank) {
      begin = middle;
    } else {
      end = middle;
    }
  }
  return begin;
}

/// A block a row. Kept and grown columns are marked in two bitmaps; bits before a column are its place.
__global__ void __launch_bounds__(kThreads) mergeRow(Merge merge, int32_t words) {
  const auto row = static_cast<int32_t>(blockIdx.x);
  const auto thread = static_cast<int32_t>(threadIdx.x);
  const int32_t begin = merge.csr.offsets[row], end = merge.csr.offsets[row + 1];
  const int32_t itemsBegin = merge.grownOffsets[row], itemsEnd = merge.grownOffsets[row + 1];
  uint32_t* const kept = dynamicShared<uint32_t>();
  uint32_t* const grown = kept + words;
  auto* const before = reinterpret_cast<int32_t*>(grown + words);

  int32_t next = merge.keptOffsets[row] + itemsBegin;
  int32_t inactive = 0;
  int32_t returned = 0;
  for (int64_t first = 0; first < merge.csr.columns; first += int64_t{words} * 32) {
    for (int32_t w = thread; w < words; w += kThreads) kept[w] = grown[w] = 0;
    __syncthreads();
    for (int32_t entry = begin + thread; entry < end; entry += kThreads) {
      if (!merge.drops.drops(entry)) mark(kept, words, first, merge.csr.indices[entry]);
    }
    __syncthreads();
    if (merge.ranks) {
      const int32_t free = countBits<kThreads>(
          words, [&](int32_t w) { return ~kept[w]; }, before);
      for (int32_t i = itemsBegin + thread; i < itemsEnd; i += kThreads) {
        const int32_t rank = merge.items[i] - inactive;
        if (rank < 0 || rank >= free) continue;
        const int32_t word = wordOfRank(before, words, rank);
        atomicOr(&grown[word], 1u << bitOfRank(~kept[word], rank - before[word]));
      }
      inactive += free;
    } else {
      for (int32_t i = itemsBegin + thread; i < itemsEnd; i += kThreads) {
        mark(grown, words, first, merge.items[i]);
      }
    }
    __syncthreads();

    const int32_t total = countBits<kThreads>(
        words, [&](int32_t w) { return kept[w] | grown[w]; }, before);
    const auto placeOf = [&](int32_t word, int32_t bit) {
      return next + before[word] + __popc((kept[word] | grown[word]) & ((1u << bit) - 1));
    };
    for (int32_t w = thread; w < words; w += kThreads) {
      for (uint32_t rest = grown[w]; rest != 0; rest &= rest - 1) {
        const int32_t bit = __ffs(static_cast<int>(rest)) - 1;
        const int32_t place = placeOf(w, bit);
        merge.columns[place] = static_cast<int32_t>(first) + w * 32 + bit;
        merge.source[place] = -1;
      }
    }
    __syncthreads();
    for (int32_t entry = begin + thread; entry < end; entry += kThreads) {
      const int32_t column = merge.csr.indices[entry];
      const int64_t inWindow = column - first;
      if (inWindow < 0 || inWindow >= int64_t{words} * 32) continue;
      const auto word = static_cast<int32_t>(inWindow / 32), bit = static_cast<int32_t>(inWindow % 32);
      if ((kept[word] >> bit & 1u) != 0) {
        const int32_t place = placeOf(word, bit);
        merge.columns[place] = column;
        merge.source[place] = entry;
      } else if ((grown[word] >> bit & 1u) != 0) {
        ++returned;
        if (merge.returnedKeepState) merge.source[placeOf(word, bit)] = entry;
      }
    }
    next += total;
    __syncthreads();
  }
  int32_t all = 0;
  exclusiveSum<kThreads>(returned, all);
  if (thread == 0 && all > 0) atomicAdd(merge.returned, static_cast<unsigned long long>(all));
}

}  // namespace

void mergeRows(Context& context, const CsrArrays& csr, const Drops& drops, const Grown& grown,
               bool returnedKeepState, int32_t* columns, int32_t* source, unsigned long long* returned) {
  const int32_t words = windowWords(csr.columns);
  const Merge merge{csr,
                    drops.view,
                    drops.keptOffsets.data(),
                    grown.offsets.data(),
                    grown.items.data(),
                    grown.ranks,
                    returnedKeepState,
                    columns,
                    source,
                    returned};
  launch(context, mergeRow, {static_cast<unsigned>(csr.rows), kThreads, int64_t{words} * 12}, merge, words);
}

}  // namespace espalier::cuda
