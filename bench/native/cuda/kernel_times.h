#pragma once

#include <cstdint>
#include <functional>

#include "device/cuda/base/context.h"

namespace espalier::cuda::bench {

/// What a kernel costs from inside a graph that does nothing.
struct LaunchCost {
  double microseconds = 0;
};

struct DeedTime {
  /// Of its kernels, launches left out.
  double microseconds = 0;
  /// Kernels and other nodes of a graph.
  int64_t kernels = 0;
};

LaunchCost launchCost(Context& context);

/// Times work that is queued on the stream by itself: many of it, back to back in one graph, less what the
/// launches cost.
DeedTime timeAlone(Context& context, const std::function<void()>& work, const LaunchCost& launch);

}  // namespace espalier::cuda::bench
