#pragma once

#include <cuda_runtime.h>

#include "machine/warp_tools.h"

// Stands in for native/device/cuda/base/async_copy.cuh. A copy happens at once or when it is waited for, by
// chance; until then its target is poisoned.

namespace espalier::cuda {

inline void copyAsync16(void* shared, const void* global) {
  emulation::startCopy(shared, global, true);
}

inline void copyAsync16(void* shared, const void* global, bool present) {
  emulation::startCopy(shared, global, present);
}

inline void commitCopies() {
  emulation::commitCopies();
}

template <int Pending>
void waitForCopies() {
  emulation::completeCopies(Pending);
}

}  // namespace espalier::cuda
