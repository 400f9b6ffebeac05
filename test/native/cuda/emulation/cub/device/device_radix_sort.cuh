#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <vector>

#include "machine/library_work.h"

namespace cub {

/// Stable sorts by the bits begin .. end - 1 of unsigned keys, ascending; with no memory given, tells how
/// much is needed. Inputs and outputs may not overlap.
struct DeviceRadixSort {
  template <typename Key, typename Size>
  static cudaError_t SortKeys(void* scratch, size_t& scratchBytes, const Key* keysIn, Key* keysOut, Size size,
                              int beginBit = 0, int endBit = sizeof(Key) * 8, cudaStream_t stream = nullptr) {
    static_assert(std::is_unsigned_v<Key>);
    const auto count = static_cast<size_t>(size);
    return espalier::emulation::queueLibraryWork(
        scratch, scratchBytes, 16 * count + 1024, stream,
        {{keysIn, count * sizeof(Key)}, {keysOut, count * sizeof(Key)}}, [=] {
          const std::vector<size_t> order = sorted(keysIn, count, beginBit, endBit);
          for (size_t i = 0; i < count; ++i) keysOut[i] = keysIn[order[i]];
        });
  }

  template <typename Key, typename Value, typename Size>
  static cudaError_t SortPairs(void* scratch, size_t& scratchBytes, const Key* keysIn, Key* keysOut,
                               const Value* valuesIn, Value* valuesOut, Size size, int beginBit = 0,
                               int endBit = sizeof(Key) * 8, cudaStream_t stream = nullptr) {
    static_assert(std::is_unsigned_v<Key>);
    const auto count = static_cast<size_t>(size);
    return espalier::emulation::queueLibraryWork(scratch, scratchBytes, 24 * count + 1024, stream,
                                                 {{keysIn, count * sizeof(Key)},
                                                  {keysOut, count * sizeof(Key)},
                                                  {valuesIn, count * sizeof(Value)},
                                                  {valuesOut, count * sizeof(Value)}},
                                                 [=] {
                                                   const auto order = sorted(keysIn, count, beginBit, endBit);
                                                   for (size_t i = 0; i < count; ++i) {
                                                     keysOut[i] = keysIn[order[i]];
                                                     valuesOut[i] = valuesIn[order[i]];
                                                   }
                                                 });
  }

 private:
  template <typename Key>
  static std::vector<size_t> sorted(const Key* keys, size_t size, int beginBit, int endBit) {
    const int bits = endBit - beginBit;
    const Key mask =
        bits >= static_cast<int>(sizeof(Key) * 8) ? ~Key{0} : static_cast<Key>((Key{1} << bits) - 1);
    std::vector<size_t> order(size);
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [=](size_t a, size_t b) {
      return (keys[a] >> beginBit & mask) < (keys[b] >> beginBit & mask);
    });
    return order;
  }
};

}  // namespace cub
