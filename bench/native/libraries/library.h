#pragma once

#include <cstdint>
#include <string>

namespace espalier::bench {

/// A row-major matrix as it lies in memory, and whether its transpose is meant.
struct Operand {
  const float* values;
  /// Numbers from one row in memory to the next.
  int64_t stride;
  bool transposed = false;
};

inline Operand transposed(const float* values, int64_t stride) {
  return {values, stride, true};
}

/// A library of dense products, opened at run time: the benchmark alone needs it. Stays open for the life of
/// the process, since its threads cannot be unloaded.
class DenseLibrary {
 public:
  virtual ~DenseLibrary() = default;

  /// Version, build and kernels in use.
  virtual std::string description() const = 0;

  /// How many threads a product may take from now on. Every thread that multiplies says so first: some
  /// libraries ask each caller, others keep one number for the process.
  virtual void setThreads(int threads) = 0;

  /// C (+)= A x B, where A is rows x inner and B is inner x columns.
  void sgemm(int64_t rows, int64_t columns, int64_t inner, const Operand& a, const Operand& b, float* c,
             int64_t cStride, bool accumulate = false) const {
    if (rows > 0 && columns > 0) multiply(rows, columns, inner, a, b, c, cStride, accumulate);
  }

  /// y += A x x, where A is rows x columns; numbers of y lie yStride apart.
  void sgemv(int64_t rows, int64_t columns, const float* a, const float* x, float* y, int64_t yStride) const {
    if (rows > 0) multiplyVector(rows, columns, a, x, y, yStride);
  }

 protected:
  virtual void multiply(int64_t rows, int64_t columns, int64_t inner, const Operand& a, const Operand& b,
                        float* c, int64_t cStride, bool accumulate) const = 0;
  /// By sgemm where the library has nothing better.
  virtual void multiplyVector(int64_t rows, int64_t columns, const float* a, const float* x, float* y,
                              int64_t yStride) const {
    multiply(rows, 1, columns, {a, columns}, {x, 1}, y, yStride, true);
  }
};

}  // namespace espalier::bench
