#pragma once

#include <cuda_runtime.h>

namespace espalier::cuda {

/// Throws Error(Device) that names the deed and CUDA's reason, unless the call succeeded. Every call into the
/// CUDA runtime goes through here.
void check(cudaError_t status, const char* deed);

}  // namespace espalier::cuda
