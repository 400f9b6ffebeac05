#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/libraries/blas.h"
#include "device/cuda/pattern/device_pattern.h"
#include "rewire/plan.h"

namespace espalier::cuda {

/// A parameter of a layer on the card; see Parameter in model/state.h.
struct DeviceParameter {
  DeviceBuffer<float> values;
  DeviceBuffer<float> first;
  DeviceBuffer<float> second;
  DeviceBuffer<int32_t> births;
};

/// outputGradient x transpose(input) is the gradient of every position; [feature][stride], float32, both
/// padded to whole blocks with 0.
struct GradientSides {
  const float* outputGradient = nullptr;
  const float* input = nullptr;
  int32_t stride = 0;
};

/// Most bytes of scratch that a rewiring takes, beside lists of the connections that move and, of blocks, one
/// array of weights.
inline constexpr int64_t kRewireScratchBytes = int64_t{256} << 20;

/// Moves the connections of one sparse layer as the plan says; exactly the processor's topology from equal
/// weights and gradients. Weights and optimizer state follow their connections, in the same arrays as before.
/// updates: the optimizer steps done, where new connections count from. Waits for the stream. Throws
/// Error(Option) where there is no room for the new connections, Error(Diverged) where too few gradients are
/// numbers; nothing has moved then.
LayerMoves rewireLayer(Context& context, Blas& blas, DevicePattern& pattern, DeviceParameter& weight,
                       const RewirePlan& plan, int64_t layer, int64_t updates, const GradientSides& sides,
                       int64_t scratchBytes = kRewireScratchBytes);

}  // namespace espalier::cuda
