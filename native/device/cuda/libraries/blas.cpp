#include "device/cuda/libraries/blas.h"

#include <limits>
#include <string>

namespace espalier::cuda {
namespace {

/// NVIDIA advises 32 MiB on Hopper; that would be most of what a very sparse network holds, and the products
/// of dense layers rarely split their sums.
constexpr int64_t kWorkspaceBytes = int64_t{4} << 20;

void checkBlas(cublasStatus_t status, const char* deed) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const CardMemory free = cardMemory();
  // Where it cannot start, it does not say why.
  const bool memory =
      status == CUBLAS_STATUS_ALLOC_FAILED || (status == CUBLAS_STATUS_NOT_INITIALIZED && free.isShort());
  throw Error(memory ? ErrorCode::Memory : ErrorCode::Device,
              std::string("cuBLAS could not ") + deed + ": " + cublasGetStatusString(status) +
                  (memory ? "; bytes of the GPU: " + free.text() : std::string()));
}

int narrowed(int64_t size) {
  require(size >= 0 && size <= std::numeric_limits<int>::max(), ErrorCode::Device,
          "a dense matrix of " + std::to_string(size) + " rows or columns is beyond cuBLAS's 32 bits");
  return static_cast<int>(size);
}

/// A row-major matrix as cuBLAS sees it, which is its transpose.
struct Operand {
  const void* values;
  cublasOperation_t operation;
  int64_t leadingSize;
};

/// The same matrix in the two forms in which a product may take it.
struct Forms {
  const float* values;
  const __nv_bfloat16* rounded;
};

const void* chosen(const Forms& forms, Precision precision) {
  if (precision != Precision::Bfloat16) return forms.values;
  require(forms.rounded != nullptr, ErrorCode::Internal, "a product in bfloat16 without rounded operands");
  return forms.rounded;
}

/// output[rows x columns] = left x right over `depth`, all row-major: cuBLAS, which counts by columns, is
/// asked for the transpose, that is for right x left.
void product(cublasHandle_t handle, const Operand& left, const Operand& right, float* output, int64_t rows,
             int64_t columns, int64_t depth, Precision precision, cublasComputeType_t computeType) {
  const float one = 1, zero = 0;
  const cudaDataType_t type = precision == Precision::Bfloat16 ? CUDA_R_16BF : CUDA_R_32F;
  checkBlas(cublasGemmEx(handle, right.operation, left.operation, narrowed(columns), narrowed(rows),
                         narrowed(depth), &one, right.values, type, narrowed(right.leadingSize), left.values,
                         type, narrowed(left.leadingSize), &zero, output, CUDA_R_32F, narrowed(columns),
                         computeType, CUBLAS_GEMM_DEFAULT),
            "multiply matrices");
}

}  // namespace

Blas::Blas(Context& context) : workspace_(context.memory, kWorkspaceBytes) {
  cublasHandle_t handle = nullptr;
  {
    const auto turn = captureTurn();
    checkBlas(cublasCreate(&handle), "start");
  }
  handle_.reset(handle);
  // In this order: a new stream takes the library's own workspace back.
  checkBlas(cublasSetStream(handle, context.stream.get()), "take a stream");
  checkBlas(cublasSetWorkspace(handle, workspace_.data(), static_cast<size_t>(workspace_.bytes())),
            "take a workspace");
}

cublasComputeType_t Blas::computeType(Precision precision) const {
  switch (precision) {
    case Precision::Tf32:
      return CUBLAS_COMPUTE_32F_FAST_TF32;
    case Precision::Bfloat16:
      return CUBLAS_COMPUTE_32F;
    case Precision::Float32:
      break;
  }
  return pedantic_ ? CUBLAS_COMPUTE_32F_PEDANTIC : CUBLAS_COMPUTE_32F;
}

void Blas::multiply(const float* weight, const __nv_bfloat16* roundedWeight, int64_t outputs, int64_t inputs,
                    Features input, float* output, int64_t stride, Precision precision) {
  product(handle(), {chosen({weight, roundedWeight}, precision), CUBLAS_OP_N, inputs},
          {chosen({input.values, input.rounded}, precision), CUBLAS_OP_N, stride}, output, outputs, stride,
          inputs, precision, computeType(precision));
}

void Blas::multiplyTransposed(const float* weight, const __nv_bfloat16* roundedWeight, int64_t outputs,
                              int64_t inputs, Features input, float* output, int64_t stride,
                              Precision precision) {
  product(handle(), {chosen({weight, roundedWeight}, precision), CUBLAS_OP_T, inputs},
          {chosen({input.values, input.rounded}, precision), CUBLAS_OP_N, stride}, output, inputs, stride,
          outputs, precision, computeType(precision));
}

void Blas::gradient(Features outputGradient, Features input, int64_t outputs, int64_t inputs, int64_t stride,
                    float* gradient, Precision precision) {
  product(handle(), {chosen({outputGradient.values, outputGradient.rounded}, precision), CUBLAS_OP_N, stride},
          {chosen({input.values, input.rounded}, precision), CUBLAS_OP_T, stride}, gradient, outputs, inputs,
          stride, precision, computeType(precision));
}

}  // namespace espalier::cuda
