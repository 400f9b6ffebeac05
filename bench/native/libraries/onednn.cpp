#include "base/error.h"
#include "libraries.h"
#include "shared_library.h"

namespace espalier::bench {
namespace {

/// dnnl_version_t.
struct Version {
  int major, minor, patch;
  const char* hash;
  unsigned processorRuntime, cardRuntime;
};

/// The kernels of dnnl_cpu_isa_t, whose bits add up from one instruction set to the next.
const char* kernelsOf(int bits) {
  if ((bits & 0x27) == 0x27) return "AVX-512";
  if ((bits & 0x7) == 0x7) return "AVX2";
  return "without AVX2";
}

class OneDnn final : public DenseLibrary {
 public:
  explicit OneDnn(const SharedLibrary& library)
      : sgemm_(library.get<Sgemm>("dnnl_sgemm")),
        version_(library.get<const Version* (*)()>("dnnl_version")),
        instructionSet_(library.find<int (*)()>("dnnl_get_effective_cpu_isa")),
        // Of the OpenMP that the library was linked with.
        setThreads_(library.get<void (*)(int)>("omp_set_num_threads")) {}

  std::string description() const override {
    const Version& version = *version_();
    std::string text = "oneDNN " + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
                       std::to_string(version.patch) + ", OpenMP";
    if (instructionSet_ != nullptr) text += std::string(", kernels ") + kernelsOf(instructionSet_());
    return text;
  }

  void setThreads(int threads) override { setThreads_(threads); }

 protected:
  void multiply(int64_t rows, int64_t columns, int64_t inner, const Operand& a, const Operand& b, float* c,
                int64_t cStride, bool accumulate) const override {
    const int status = sgemm_(letter(a), letter(b), rows, columns, inner, 1.0f, a.values, a.stride, b.values,
                              b.stride, accumulate ? 1.0f : 0.0f, c, cStride);
    // Threads of a team call this, and must not throw; only arguments of ours could be wrong.
    if (status != 0) std::abort();
  }

 private:
  using Sgemm = int (*)(char, char, int64_t, int64_t, int64_t, float, const float*, int64_t, const float*,
                        int64_t, float, float*, int64_t);

  static char letter(const Operand& operand) { return operand.transposed ? 'T' : 'N'; }

  Sgemm sgemm_;
  const Version* (*version_)();
  int (*instructionSet_)();
  void (*setThreads_)(int);
};

}  // namespace

std::unique_ptr<DenseLibrary> openOneDnn() {
  return std::make_unique<OneDnn>(SharedLibrary({"libdnnl.so.3", "libdnnl.so.2", "libdnnl.dylib"}));
}

}  // namespace espalier::bench
