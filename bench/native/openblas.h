#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace espalier::bench {

/// Debian's libopenblas (or another), opened at run time: the benchmark alone needs it. Its kernels are
/// chosen when it is opened, by OPENBLAS_CORETYPE if set.
class OpenBlas {
 public:
  /// The library, or null with the reason in `why`.
  static const OpenBlas* open(std::string& why);

  /// Row-major C = A x B, A m x k and B k x n, either of them transposed in memory.
  void sgemm(bool transposeA, bool transposeB, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda,
             const float* b, int64_t ldb, float* c, int64_t ldc) const;
  void setThreads(int threads) const { setThreads_(threads); }
  /// Version, build and kernels in use.
  std::string description() const;

 private:
  using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float,
                         float*, int);
  using SetThreads = void (*)(int);
  using Text = char* (*)();

  Sgemm sgemm_ = nullptr;
  SetThreads setThreads_ = nullptr;
  Text config_ = nullptr;
  Text core_ = nullptr;
};

}  // namespace espalier::bench
