#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace espalier::cuda {

/// The first of the places begin .. end - 1 of an ascending list whose value is not below `value`, or end.
__device__ __forceinline__ int32_t lowerBound(const int32_t* values, int32_t begin, int32_t end,
                                              int32_t value) {
  while (begin < end) {
    const int32_t middle = begin + (end - begin) / 2;
    if (values[middle] < value) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

/// The row that an entry lies in. offsets: rows + 1, ascending; entry: below offsets[rows].
__device__ __forceinline__ int32_t rowOfEntry(const int32_t* offsets, int32_t rows, int32_t entry) {
  int32_t begin = 0, end = rows;
  while (begin < end) {
    const int32_t middle = begin + (end - begin) / 2;
    if (offsets[middle + 1] <= entry) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

}  // namespace espalier::cuda
