#pragma once

#include "device/cuda/base/context.h"
#include "device/cuda/rewire/selection.h"

namespace espalier::cuda {

/// Below so many bytes memory does not matter and launches do.
inline constexpr int64_t kSmallBytes = int64_t{2} << 20;

/// The small numbers of a rewiring on the card; zeroed.
struct RewireState {
  explicit RewireState(Context& context) : progress(context.memory, 1), histogram(context.memory, 1) {
    progress.clear();
    histogram.clear();
  }
  DeviceBuffer<Progress> progress;
  DeviceBuffer<Histogram> histogram;
};

/// Where connections are to grow: items offsets[r] to offsets[r + 1] - 1 belong to block row r, in any order.
struct Grown {
  DeviceBuffer<int32_t> offsets;
  DeviceBuffer<int32_t> items;
  /// What an item is: a block column, or a rank among those columns of its row that are not kept.
  bool ranks = false;
};

}  // namespace espalier::cuda
