#include "openblas.h"

#include <dlfcn.h>

namespace espalier::bench {

const OpenBlas* OpenBlas::open(std::string& why) {
  void* library = nullptr;
  for (const char* name : {"libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"}) {
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
    why = dlerror();
  }
  if (library == nullptr) return nullptr;
  // The library stays open for the life of the process: its threads cannot be unloaded.
  auto blas = std::make_unique<OpenBlas>();
  blas->sgemm_ = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  blas->setThreads_ = reinterpret_cast<SetThreads>(dlsym(library, "openblas_set_num_threads"));
  blas->config_ = reinterpret_cast<Text>(dlsym(library, "openblas_get_config"));
  blas->core_ = reinterpret_cast<Text>(dlsym(library, "openblas_get_corename"));
  if (blas->sgemm_ == nullptr || blas->setThreads_ == nullptr) {
    why = "the library has no cblas_sgemm or no openblas_set_num_threads";
    return nullptr;
  }
  return blas.release();
}

void OpenBlas::sgemm(bool transposeA, bool transposeB, int64_t m, int64_t n, int64_t k, const float* a,
                     int64_t lda, const float* b, int64_t ldb, float* c, int64_t ldc) const {
  constexpr int kRowMajor = 101, kNormal = 111, kTransposed = 112;
  sgemm_(kRowMajor, transposeA ? kTransposed : kNormal, transposeB ? kTransposed : kNormal,
         static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), 1.0f, a, static_cast<int>(lda), b,
         static_cast<int>(ldb), 0.0f, c, static_cast<int>(ldc));
}

std::string OpenBlas::description() const {
  std::string text = config_ != nullptr ? config_() : "OpenBLAS";
  if (core_ != nullptr) text += std::string(", kernels ") + core_();
  return text;
}

}  // namespace espalier::bench
