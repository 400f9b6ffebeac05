#pragma once

#include "device/cuda/libraries/blas.h"

namespace espalier::cuda::bench {

/// Gives cuBLAS the 32 MiB that NVIDIA advises on Hopper, so that what sparse products are compared with is
/// at its best; the package gives it less, to keep sparse networks small. Keep the buffer as long as the
/// handle.
DeviceBuffer<unsigned char> widenWorkspace(Context& context, const Blas& blas);

}  // namespace espalier::cuda::bench
