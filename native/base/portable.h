#pragma once

/// Marks what runs on the processor and inside CUDA kernels alike, from one source, so that both give the
/// same numbers.
#ifdef __CUDACC__
#define ESPALIER_HOST_DEVICE __host__ __device__
#else
#define ESPALIER_HOST_DEVICE
#endif
