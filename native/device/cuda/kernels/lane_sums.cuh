#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace espalier::cuda {

inline constexpr uint32_t kWholeWarp = 0xffffffffu;
inline constexpr int kWarpLanes = 32;

/// Adds kCount numbers (a power of two) over the lanes of a warp whose numbers differ in the bits kTop ..
/// kBottom only. Halves the numbers with the lanes: at each bit from kTop down, the lane with the bit clear
/// keeps the first half of its numbers and the other the second one, until one is left, which is then added
/// plainly. So a lane ends with max(1, kCount / lanes) sums in front of `numbers`, and 31 shuffles add 32
/// numbers over 32 lanes. Every sum is the same tree in whichever lane it ends. The whole warp must come
/// here.
template <int kTop, int kBottom, int kCount, int kSize>
__device__ __forceinline__ void addOverLanes(float (&numbers)[kSize], int lane) {
  if constexpr (kTop >= kBottom) {
    constexpr int kHalf = kCount / 2;
    if constexpr (kHalf > 0) {
      const bool upper = (lane & kTop) != 0;
#pragma unroll
      for (int i = 0; i < kHalf; ++i) {
        const float given = upper ? numbers[i] : numbers[i + kHalf];
        const float kept = upper ? numbers[i + kHalf] : numbers[i];
        numbers[i] = kept + __shfl_xor_sync(kWholeWarp, given, kTop);
      }
      addOverLanes<kTop / 2, kBottom, kHalf>(numbers, lane);
    } else {
      numbers[0] += __shfl_xor_sync(kWholeWarp, numbers[0], kTop);
      addOverLanes<kTop / 2, kBottom, kCount>(numbers, lane);
    }
  }
}

/// A warp cut into groups of kLanes lanes that each hold partial sums of the same samples, kSamples to a
/// lane.
template <int kLanes, int kSamples>
struct GroupSums {
  static constexpr int kGroups = kWarpLanes / kLanes;
  /// Sums that a lane keeps.
  static constexpr int kKept = kSamples >= kGroups ? kSamples / kGroups : 1;

  /// Adds over the groups; the lane's sums are then the first kKept, of the samples from first(lane) on.
  static __device__ __forceinline__ void add(float (&sums)[kSamples], int lane) {
    addOverLanes<kWarpLanes / 2, kLanes, kSamples>(sums, lane);
  }
  static __device__ __forceinline__ int first(int lane) { return lane / kLanes * kSamples / kGroups; }
  /// Where there are more groups than samples, the first of those that hold the same sum writes it.
  static __device__ __forceinline__ bool writes(int lane) {
    return kGroups <= kSamples || lane / kLanes * kSamples % kGroups == 0;
  }

  static __device__ __forceinline__ void store(float* output, const float (&sums)[kSamples]) {
    if constexpr (kKept % 4 == 0) {
#pragma unroll
      for (int i = 0; i < kKept; i += 4) {
        *reinterpret_cast<float4*>(output + i) = make_float4(sums[i], sums[i + 1], sums[i + 2], sums[i + 3]);
      }
    } else if constexpr (kKept == 2) {
      *reinterpret_cast<float2*>(output) = make_float2(sums[0], sums[1]);
    } else {
      output[0] = sums[0];
    }
  }
};

}  // namespace espalier::cuda
