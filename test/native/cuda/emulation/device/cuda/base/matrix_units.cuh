#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "machine/warp_tools.h"

// Stands in for native/device/cuda/base/matrix_units.cuh, where the fragments are described.

namespace espalier::cuda {

inline uint32_t toTf32(float value) {
  return emulation::roundToTf32(value);
}

inline void multiplyTf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                         const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  emulation::multiplyTf32(d, a, b, {file, line});
}

inline void multiplyBfloat16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                             const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  emulation::multiplyBfloat16(d, a, b, {file, line});
}

inline uint32_t packBfloat16(float low, float high) {
  const uint32_t lower = __bfloat16_as_ushort(__float2bfloat16_rn(low));
  const uint32_t upper = __bfloat16_as_ushort(__float2bfloat16_rn(high));
  return upper << 16 | lower;
}

inline uint32_t lowerHalves(uint32_t first, uint32_t second) {
  return second << 16 | (first & 0xFFFFu);
}
inline uint32_t upperHalves(uint32_t first, uint32_t second) {
  return (second & 0xFFFF0000u) | first >> 16;
}

inline void loadMatrices(uint32_t (&r)[4], const void* row, const char* file = __builtin_FILE(),
                         int line = __builtin_LINE()) {
  emulation::loadMatrices(r, row, false, {file, line});
}

inline void loadMatricesTransposed(uint32_t (&r)[4], const void* row, const char* file = __builtin_FILE(),
                                   int line = __builtin_LINE()) {
  emulation::loadMatrices(r, row, true, {file, line});
}

}  // namespace espalier::cuda
