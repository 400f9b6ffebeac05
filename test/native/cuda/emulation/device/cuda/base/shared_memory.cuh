#pragma once

#include <cuda_runtime.h>

// Stands in for native/device/cuda/base/shared_memory.cuh.

namespace espalier::cuda {

template <typename T>
T* dynamicShared() {
  return static_cast<T*>(emulation::dynamicSharedMemory());
}

}  // namespace espalier::cuda
