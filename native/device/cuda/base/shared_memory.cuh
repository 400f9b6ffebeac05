#pragma once

#include <cuda_runtime.h>

namespace espalier::cuda {

/// The dynamic shared memory of the block, aligned to 128 bytes.
template <typename T>
__device__ __forceinline__ T* dynamicShared() {
  extern __shared__ __align__(128) unsigned char espalierSharedMemory[];
  return reinterpret_cast<T*>(espalierSharedMemory);
}

}  // namespace espalier::cuda
