#pragma once

#include "library.h"
#include "shared_library.h"

namespace espalier::bench {

/// The products of a library that has C BLAS, with sizes of 32 bits.
class Cblas : public DenseLibrary {
 protected:
  explicit Cblas(const SharedLibrary& library);

  void multiply(int64_t rows, int64_t columns, int64_t inner, const Operand& a, const Operand& b, float* c,
                int64_t cStride, bool accumulate) const override;
  void multiplyVector(int64_t rows, int64_t columns, const float* a, const float* x, float* y,
                      int64_t yStride) const override;

 private:
  using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float,
                         float*, int);
  using Sgemv = void (*)(int, int, int, int, float, const float*, int, const float*, int, float, float*, int);

  Sgemm sgemm_;
  Sgemv sgemv_;
};

}  // namespace espalier::bench
