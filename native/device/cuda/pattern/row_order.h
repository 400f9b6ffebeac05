#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"

namespace espalier::cuda {

/// What orderRows() needs where rows are many. It is taken beforehand, so that ordering cannot lack memory.
struct RowOrderScratch {
  RowOrderScratch() = default;
  /// For views of either number of rows.
  RowOrderScratch(Context& context, int64_t rows, int64_t otherRows);
  int64_t bytes() const { return keys.bytes() + sortedKeys.bytes() + numbers.bytes() + passes.bytes(); }

  DeviceBuffer<uint32_t> keys;
  DeviceBuffer<uint32_t> sortedKeys;
  DeviceBuffer<int32_t> numbers;
  DeviceBuffer<unsigned char> passes;
};

/// Rows by the number of their entries, most first; of equals the smaller row first.
void orderRows(Context& context, const int32_t* rowOffsets, int32_t rows, RowOrderScratch& scratch,
               int32_t* rowOrder);

}  // namespace espalier::cuda
