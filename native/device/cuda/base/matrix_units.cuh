#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

namespace espalier::cuda {

// One warp's product on the matrix units, D = A x B + D, with the fragments of PTX ISA's mma.m16n8k8 (tf32)
// and mma.m16n8k16 (bf16). With g = lane / 4 and t = lane % 4:
//   D (16 x 8, float32):  d[0] = (g, 2t), d[1] = (g, 2t + 1), d[2] = (g + 8, 2t), d[3] = (g + 8, 2t + 1)
//   A (16 x 8, tf32):     a[0] = (g, t), a[1] = (g + 8, t), a[2] = (g, t + 4), a[3] = (g + 8, t + 4)
//   B (8 x 8, tf32):      b[0] = (t, g), b[1] = (t + 4, g)
//   A (16 x 16, bf16):    a[0] = (g, 2t | 2t + 1), a[1] = (g + 8, same), a[2] = (g, 2t + 8 | 2t + 9),
//                         a[3] = (g + 8, same); the smaller column in the lower half
//   B (16 x 8, bf16):     b[0] = (2t | 2t + 1, g), b[1] = (2t + 8 | 2t + 9, g); the smaller row in the lower
//   half

/// Rounds to tf32 (10 bits of mantissa), to nearest. A tie goes to even from compute capability 9.0 on, where
/// that is one instruction, and away from zero before, where no other way exists.
__device__ __forceinline__ uint32_t toTf32(float value) {
  uint32_t bits = 0;
#if __CUDA_ARCH__ >= 900
  asm("cvt.rn.tf32.f32 %0, %1;\n" : "=r"(bits) : "f"(value));
#else
  asm("cvt.rna.tf32.f32 %0, %1;\n" : "=r"(bits) : "f"(value));
#endif
  return bits;
}

__device__ __forceinline__ void multiplyTf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ void multiplyBfloat16(float (&d)[4], const uint32_t (&a)[4],
                                                 const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// Two numbers rounded to bfloat16, the first in the lower half.
__device__ __forceinline__ uint32_t packBfloat16(float low, float high) {
  const uint32_t lower = __bfloat16_as_ushort(__float2bfloat16_rn(low));
  const uint32_t upper = __bfloat16_as_ushort(__float2bfloat16_rn(high));
  return upper << 16 | lower;
}

/// The lower halves of two words, the first one's in the lower half.
__device__ __forceinline__ uint32_t lowerHalves(uint32_t first, uint32_t second) {
  return __byte_perm(first, second, 0x5410);
}

/// The same of the upper halves.
__device__ __forceinline__ uint32_t upperHalves(uint32_t first, uint32_t second) {
  return __byte_perm(first, second, 0x7632);
}

/// Loads four 8 x 8 matrices of 16-bit elements from shared memory (ldmatrix.x4): lane l gives the address of
/// row l % 8 of matrix l / 8 (16 bytes, aligned), and gets of matrix m the elements (g, 2t | 2t + 1) in r[m].
__device__ __forceinline__ void loadMatrices(uint32_t (&r)[4], const void* row) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

/// The same with every matrix transposed: lane gets (2t | 2t + 1, g).
__device__ __forceinline__ void loadMatricesTransposed(uint32_t (&r)[4], const void* row) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

}  // namespace espalier::cuda
