#pragma once

#include <cuda_bf16.h>

#include <cstdint>

namespace espalier::cuda {

/// Samples of a row are padded to a multiple of this: 32 bytes of float32.
inline constexpr int32_t kSampleUnit = 8;

/// Activations or gradients on the card: [feature][stride], 256-byte aligned, stride a multiple of
/// kSampleUnit. Where products run in bfloat16 there is a rounded copy, to nearest even, of the same shape;
/// else null.
struct Features {
  const float* values = nullptr;
  const __nv_bfloat16* rounded = nullptr;
};

/// The same to write to: whoever writes values writes the rounded copy too, where there is one.
struct FeaturesOut {
  float* values = nullptr;
  __nv_bfloat16* rounded = nullptr;
  operator Features() const { return {values, rounded}; }
};

}  // namespace espalier::cuda
