#pragma once

#include <cublas_v2.h>

#include <cstdint>
#include <memory>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/features.h"
#include "device/device.h"

namespace espalier::cuda {

/// Dense products by cuBLAS, on row-major matrices.
class Blas {
 public:
  explicit Blas(Context& context);

  /// Whether float32 products are pedantic, as they are unless this is called: otherwise cuBLAS may sum in
  /// ways of its own, but rounds no factors either.
  void setPedantic(bool pedantic) { pedantic_ = pedantic; }

  // Operands are float32 where precision is Float32 (no rounding) or Tf32; for Bfloat16 the rounded
  // copies of the features are taken, and `roundedWeight` must be given. Sums are float32.

  /// output[outputs x stride] = weight[outputs x inputs] x input[inputs x stride].
  void multiply(const float* weight, const __nv_bfloat16* roundedWeight, int64_t outputs, int64_t inputs,
                Features input, float* output, int64_t stride, Precision precision);
  /// output[inputs x stride] = transpose(weight[outputs x inputs]) x input[outputs x stride].
  void multiplyTransposed(const float* weight, const __nv_bfloat16* roundedWeight, int64_t outputs,
                          int64_t inputs, Features input, float* output, int64_t stride, Precision precision);
  /// gradient[outputs x inputs] = outputGradient[outputs x stride] x transpose(input[inputs x stride]).
  void gradient(Features outputGradient, Features input, int64_t outputs, int64_t inputs, int64_t stride,
                float* gradient, Precision precision);

  cublasHandle_t handle() const { return handle_.get(); }

 private:
  cublasComputeType_t computeType(Precision precision) const;

  struct Deleter {
    using pointer = cublasHandle_t;
    void operator()(cublasHandle_t handle) const {
      const auto turn = captureTurn();
      cublasDestroy(handle);
    }
  };
  /// Given to cuBLAS, which may not allocate while a graph is captured.
  DeviceBuffer<unsigned char> workspace_;
  bool pedantic_ = true;
  std::unique_ptr<cublasHandle_t, Deleter> handle_;
};

}  // namespace espalier::cuda
