#pragma once

#include "device/cuda/library.h"

namespace espalier {

/// Opens espalier_cuda.so, which lies beside the addon, at the first call; the environment variable
/// ESPALIER_CUDA_LIBRARY names another file. Null where it does not open; that it opens does not say that a
/// GPU is there. See cudaStatus() for both. Any thread may call it.
const cuda::Library* cudaLibrary();

/// What the library finds on this machine now; where it does not open, not usable and why in one line.
cuda::Status cudaStatus();

}  // namespace espalier
