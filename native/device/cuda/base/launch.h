#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "device/cuda/base/check.h"
#include "device/cuda/base/context.h"

namespace espalier::cuda {

struct LaunchShape {
  dim3 blocks;
  dim3 threads;
  /// Dynamic shared memory of a block; see dynamicShared().
  int64_t sharedBytes = 0;
};

/// What a block has without asking.
inline constexpr int64_t kPlainSharedBytes = 48 * 1024;

/// Lets a kernel take all the shared memory that a block may ask for. What a kernel may take counts for the
/// whole process: were it what each launch needs, a launch of one network would take it from another's.
void allowAllShared(const Card& card, const void* kernel);

/// Queues a kernel. A launch of no blocks does nothing.
template <typename... Parameters, typename... Arguments>
void launch(const Context& context, void (*kernel)(Parameters...), const LaunchShape& shape,
            Arguments&&... arguments) {
  if (shape.blocks.x == 0 || shape.blocks.y == 0 || shape.blocks.z == 0) return;
  if (shape.sharedBytes > kPlainSharedBytes) {
    allowAllShared(context.card, reinterpret_cast<const void*>(kernel));
  }
  cudaLaunchConfig_t configuration{};
  configuration.gridDim = shape.blocks;
  configuration.blockDim = shape.threads;
  configuration.dynamicSmemBytes = static_cast<size_t>(shape.sharedBytes);
  configuration.stream = context.stream.get();
  check(cudaLaunchKernelEx(&configuration, kernel,
                           static_cast<Parameters>(std::forward<Arguments>(arguments))...),
        "launch a kernel");
}

}  // namespace espalier::cuda
