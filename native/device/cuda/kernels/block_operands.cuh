#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "device/cuda/base/matrix_units.cuh"
#include "device/cuda/kernels/features.h"

namespace espalier::cuda {

// How the block products bring operands from memory into the fragments of the matrix units. Which of a tile's
// rows, columns or summands a fragment calls its first is free as long as both operands and the result agree;
// so every lane takes numbers that lie side by side in memory, 16 bytes in one load, and nothing has to pass
// through shared memory.

/// 16 bytes of features as they lie in memory.
struct Words {
  uint32_t word[4];
};

__device__ __forceinline__ Words loadWords(const float* from) {
  const float4 four = __ldg(reinterpret_cast<const float4*>(from));
  return {
      {__float_as_uint(four.x), __float_as_uint(four.y), __float_as_uint(four.z), __float_as_uint(four.w)}};
}

__device__ __forceinline__ Words loadWords(const __nv_bfloat16* from) {
  const uint4 four = __ldg(reinterpret_cast<const uint4*>(from));
  return {{four.x, four.y, four.z, four.w}};
}

/// float32 features and weights, rounded to TF32 on the way.
struct Tf32Operands {
  using Element = float;
  /// Samples that a lane loads at once.
  static constexpr int kLaneSamples = 4;
  /// Matrix unit calls that sum over 16 inputs.
  static constexpr int kSteps = 2;

  static const Element* of(const Features& features) { return features.values; }

  /// The features as left operand of SpMM's transposed product (samples x inputs) in one step: rows[q] holds
  /// this lane's samples of the q-th of four inputs. Rows g and g + 8 of tile m are samples 2m and 2m + 1.
  static __device__ __forceinline__ void interleave(const Words (&rows)[4], int step,
                                                    uint32_t (&a)[kLaneSamples / 2][4]) {
#pragma unroll
    for (int m = 0; m < kLaneSamples / 2; ++m) {
#pragma unroll
      for (int i = 0; i < 4; ++i)
        a[m][i] = toTf32(__uint_as_float(rows[2 * step + i / 2].word[2 * m + i % 2]));
    }
  }

  /// One output's weights of the same four inputs as right operand.
  static __device__ __forceinline__ void weights(const float (&weight)[4], int step, uint32_t (&b)[2]) {
    b[0] = toTf32(weight[2 * step]);
    b[1] = toTf32(weight[2 * step + 1]);
  }

  /// Features, summed over their samples: an operand of either side.
  static __device__ __forceinline__ uint32_t rounded(uint32_t word) {
    return toTf32(__uint_as_float(word));
  }

  static __device__ __forceinline__ void multiply(float (&d)[4], const uint32_t (&a)[4],
                                                  const uint32_t (&b)[2]) {
    multiplyTf32(d, a, b);
  }
};

/// Features in their rounded copy; weights rounded to bfloat16 on the way.
struct Bfloat16Operands {
  using Element = __nv_bfloat16;
  static constexpr int kLaneSamples = 8;
  static constexpr int kSteps = 1;

  static const Element* of(const Features& features) { return features.rounded; }

  static __device__ __forceinline__ void interleave(const Words (&rows)[4], int /*step*/,
                                                    uint32_t (&a)[kLaneSamples / 2][4]) {
#pragma unroll
    for (int m = 0; m < kLaneSamples / 2; ++m) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        a[m][2 * i] = lowerHalves(rows[2 * i].word[m], rows[2 * i + 1].word[m]);
        a[m][2 * i + 1] = upperHalves(rows[2 * i].word[m], rows[2 * i + 1].word[m]);
      }
    }
  }

  static __device__ __forceinline__ void weights(const float (&weight)[4], int /*step*/, uint32_t (&b)[2]) {
    b[0] = packBfloat16(weight[0], weight[1]);
    b[1] = packBfloat16(weight[2], weight[3]);
  }

  static __device__ __forceinline__ uint32_t rounded(uint32_t word) {
    return word;
  }

  static __device__ __forceinline__ void multiply(float (&d)[4], const uint32_t (&a)[4],
                                                  const uint32_t (&b)[2]) {
    multiplyBfloat16(d, a, b);
  }
};

}  // namespace espalier::cuda
