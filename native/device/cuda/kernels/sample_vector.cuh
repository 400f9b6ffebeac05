#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

namespace espalier::cuda {

// A lane holds 16 bytes of a feature's samples: 4 of float32 or 8 of bfloat16, which are sums in float32
// after all.

template <typename Element>
inline constexpr int kVectorSamples = 16 / static_cast<int>(sizeof(Element));

/// 16 bytes from the card's memory, aligned to 16, which no kernel writes meanwhile.
template <typename Element>
__device__ __forceinline__ uint4 loadVector(const Element* samples) {
  return __ldg(reinterpret_cast<const uint4*>(samples));
}

__device__ __forceinline__ void widen(uint4 bits, float (&samples)[4]) {
  samples[0] = __uint_as_float(bits.x);
  samples[1] = __uint_as_float(bits.y);
  samples[2] = __uint_as_float(bits.z);
  samples[3] = __uint_as_float(bits.w);
}

/// bfloat16 is the upper half of float32; the earlier sample is the lower half of its word.
__device__ __forceinline__ void widen(uint4 bits, float (&samples)[8]) {
  const uint32_t words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    samples[2 * i] = __uint_as_float(words[i] << 16);
    samples[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
  }
}

/// sums += weight x the samples in `bits`.
template <int kSamples>
__device__ __forceinline__ void addScaled(float (&sums)[kSamples], float weight, uint4 bits) {
  float samples[kSamples];
  widen(bits, samples);
#pragma unroll
  for (int i = 0; i < kSamples; ++i) sums[i] = fmaf(weight, samples[i], sums[i]);
}

/// sum + the products of `samples` with those in `bits`.
template <int kSamples>
__device__ __forceinline__ float addProduct(float sum, const float (&samples)[kSamples], uint4 bits) {
  float others[kSamples];
  widen(bits, others);
#pragma unroll
  for (int i = 0; i < kSamples; ++i) sum = fmaf(samples[i], others[i], sum);
  return sum;
}

}  // namespace espalier::cuda
