#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace espalier::cuda {

// Copies from global to shared memory that do not pass through registers (cp.async). A thread's own copies
// are done after commitCopies() and waitForCopies(); other threads see them after a barrier as well.

/// 16 bytes, both addresses aligned to 16.
__device__ __forceinline__ void copyAsync16(void* shared, const void* global) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(address), "l"(global) : "memory");
}

/// The same, or 16 zero bytes where `present` is false; `global` is not read then.
__device__ __forceinline__ void copyAsync16(void* shared, const void* global, bool present) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  const int bytes = present ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(address), "l"(global), "r"(bytes)
               : "memory");
}

__device__ __forceinline__ void commitCopies() {
  asm volatile("cp.async.commit_group;\n" ::: "memory");
}

/// Waits until at most `Pending` of the committed groups are still under way.
template <int Pending>
__device__ __forceinline__ void waitForCopies() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(Pending) : "memory");
}

}  // namespace espalier::cuda
