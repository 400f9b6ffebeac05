// What the CUDA part asks of a toolkit, in a few lines: compiled and linked before the toolkit is trusted.
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <cusparse.h>

#include <cub/version.cuh>
#include <span>

#if CUB_VERSION < 200300
#error "CUB 2.3 or newer is needed"
#endif

__global__ void probe(std::span<float> values) {
  if (threadIdx.x < values.size()) values[threadIdx.x] = __bfloat162float(__float2bfloat16_rn(1.5f));
}

cudaError_t useRuntime(float* values) {
  probe<<<1, 32>>>({values, 32});
  return cudaGetLastError();
}

cublasStatus_t useBlas(cublasHandle_t* handle) {
  return cublasCreate(handle);
}

cusparseStatus_t useSparse(cusparseHandle_t* handle) {
  return cusparseCreate(handle);
}
