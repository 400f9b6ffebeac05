#include "../cublas_v2.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "block.h"
#include "environment.h"
#include "runtime.h"
#include "warp_tools.h"

using namespace espalier::emulation;

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasMath_t mode = CUBLAS_DEFAULT_MATH;
  void* workspace = nullptr;
  size_t workspaceBytes = 0;
};

namespace {

constexpr int kVersion = 130000;
constexpr size_t kPoisonedWorkspace = 4096;

/// An operand, column-major as cuBLAS takes it.
struct Operand {
  const void* values;
  bool bfloat16;
  bool transposed;
  int leading;

  float at(int row, int column) const {
    const int64_t i = transposed ? int64_t{row} * leading + column : int64_t{column} * leading + row;
    return bfloat16 ? __bfloat162float(static_cast<const __nv_bfloat16*>(values)[i])
                    : static_cast<const float*>(values)[i];
  }

  /// Bytes of a product's rows x columns, as it lies there.
  size_t bytes(int rows, int columns) const {
    if (transposed) std::swap(rows, columns);
    if (rows == 0 || columns == 0) return 0;
    return static_cast<size_t>(int64_t{columns - 1} * leading + rows) * (bfloat16 ? 2 : 4);
  }
};

struct Product {
  Operand a, b;
  int m, n, k;
  float alpha, beta;
  float* c;
  int ldc;
  bool tf32;
  void* workspace;
  size_t workspaceBytes;
};

std::vector<float> unpack(const Operand& operand, int rows, int columns, bool tf32) {
  std::vector<float> values(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  for (int column = 0; column < columns; ++column) {
    for (int row = 0; row < rows; ++row) {
      float value = operand.at(row, column);
      if (tf32) value = __uint_as_float(roundToTf32(value));
      values[static_cast<size_t>(column) * static_cast<size_t>(rows) + static_cast<size_t>(row)] = value;
    }
  }
  return values;
}

void multiply(const Product& p) {
  requireCardMemory(p.a.values, p.k > 0 ? p.a.bytes(p.m, p.k) : 0, "cuBLAS, matrix A");
  requireCardMemory(p.b.values, p.k > 0 ? p.b.bytes(p.k, p.n) : 0, "cuBLAS, matrix B");
  const Operand c{p.c, false, false, p.ldc};
  requireCardMemory(p.c, c.bytes(p.m, p.n), "cuBLAS, matrix C");
  if (p.workspace != nullptr) std::memset(p.workspace, 0xFF, std::min(p.workspaceBytes, kPoisonedWorkspace));
  const std::vector<float> a = unpack(p.a, p.m, p.k, p.tf32);
  const std::vector<float> b = unpack(p.b, p.k, p.n, p.tf32);
  const auto m = static_cast<size_t>(p.m);
  const auto depth = static_cast<size_t>(p.k);
  std::vector<float> sums(m);
  for (int column = 0; column < p.n; ++column) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (size_t k = 0; k < depth; ++k) {
      const float factor = b[static_cast<size_t>(column) * depth + k];
      const float* from = a.data() + k * m;
      for (size_t row = 0; row < m; ++row) sums[row] += from[row] * factor;
    }
    float* to = p.c + int64_t{column} * p.ldc;
    // Where beta is 0, C is not read: it may hold NaN.
    for (size_t row = 0; row < m; ++row) {
      to[row] = p.beta == 0 ? p.alpha * sums[row] : p.alpha * sums[row] + p.beta * to[row];
    }
  }
}

}  // namespace

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  if (cardState() != cudaSuccess || environment().failure == Failure::Libraries) {
    return CUBLAS_STATUS_NOT_INITIALIZED;
  }
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  waitForCard();
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetVersion(cublasHandle_t, int* version) {
  *version = kVersion;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  // As in cuBLAS, which goes back to a workspace of its own.
  handle->workspace = nullptr;
  handle->workspaceBytes = 0;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t* stream) {
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0) return CUBLAS_STATUS_INVALID_VALUE;
  requireCardMemory(workspace, bytes, "cublasSetWorkspace");
  handle->workspace = workspace;
  handle->workspaceBytes = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  handle->mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
  *mode = handle->mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transposeA, cublasOperation_t transposeB,
                            int m, int n, int k, const void* alpha, const void* a, cudaDataType aType,
                            int lda, const void* b, cudaDataType bType, int ldb, const void* beta, void* c,
                            cudaDataType cType, int ldc, cublasComputeType_t computeType, cublasGemmAlgo_t) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const bool transposesA = transposeA == CUBLAS_OP_T;
  const bool transposesB = transposeB == CUBLAS_OP_T;
  if (m < 0 || n < 0 || k < 0 || lda < std::max(1, transposesA ? k : m) ||
      ldb < std::max(1, transposesB ? n : k) || ldc < std::max(1, m)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (aType != bType || cType != CUDA_R_32F || (aType != CUDA_R_32F && aType != CUDA_R_16BF)) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  // bfloat16 is taken with COMPUTE_32F and its pedantic twin only.
  const bool fast = computeType == CUBLAS_COMPUTE_32F_FAST_TF32;
  if (fast && aType != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  const bool tf32 = fast || (computeType == CUBLAS_COMPUTE_32F &&
                             handle->mode == CUBLAS_TF32_TENSOR_OP_MATH && aType == CUDA_R_32F);
  const Product product{{a, aType == CUDA_R_16BF, transposesA, lda},
                        {b, bType == CUDA_R_16BF, transposesB, ldb},
                        m,
                        n,
                        k,
                        *static_cast<const float*>(alpha),
                        *static_cast<const float*>(beta),
                        static_cast<float*>(c),
                        ldc,
                        tf32,
                        handle->workspace,
                        handle->workspaceBytes};
  if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;
  const cudaError_t status = enqueue(handle->stream, [product] {
    if (countLaunch() == cudaSuccess) multiply(product);
  });
  return status == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t transposeA, cublasOperation_t transposeB,
                           int m, int n, int k, const float* alpha, const float* a, int lda, const float* b,
                           int ldb, const float* beta, float* c, int ldc) {
  return cublasGemmEx(handle, transposeA, transposeB, m, n, k, alpha, a, CUDA_R_32F, lda, b, CUDA_R_32F, ldb,
                      beta, c, CUDA_R_32F, ldc, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
}

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "the library was not initialized";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "the resource allocation failed";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "an unsupported value or parameter was passed to the function";
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "the function requires an architectural feature absent from the device";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "the function failed to launch on the GPU";
    case CUBLAS_STATUS_INTERNAL_ERROR:
      return "an internal operation failed";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the functionality requested is not supported";
  }
  return "unknown status";
}

const char* cublasGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "CUBLAS_STATUS_ARCH_MISMATCH";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
  }
  return "unknown status";
}
