#include "cblas.h"

namespace espalier::bench {
namespace {

constexpr int kRowMajor = 101;
constexpr int kNormal = 111;
constexpr int kTransposed = 112;

int orderOf(const Operand& operand) {
  return operand.transposed ? kTransposed : kNormal;
}

}  // namespace

Cblas::Cblas(const SharedLibrary& library)
    : sgemm_(library.get<Sgemm>("cblas_sgemm")), sgemv_(library.get<Sgemv>("cblas_sgemv")) {}

void Cblas::multiply(int64_t rows, int64_t columns, int64_t inner, const Operand& a, const Operand& b,
                     float* c, int64_t cStride, bool accumulate) const {
  sgemm_(kRowMajor, orderOf(a), orderOf(b), static_cast<int>(rows), static_cast<int>(columns),
         static_cast<int>(inner), 1.0f, a.values, static_cast<int>(a.stride), b.values,
         static_cast<int>(b.stride), accumulate ? 1.0f : 0.0f, c, static_cast<int>(cStride));
}

void Cblas::multiplyVector(int64_t rows, int64_t columns, const float* a, const float* x, float* y,
                           int64_t yStride) const {
  sgemv_(kRowMajor, kNormal, static_cast<int>(rows), static_cast<int>(columns), 1.0f, a,
         static_cast<int>(columns), x, 1, 1.0f, y, static_cast<int>(yStride));
}

}  // namespace espalier::bench
