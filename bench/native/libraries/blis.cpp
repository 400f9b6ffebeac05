#include "cblas.h"
#include "libraries.h"
#include "process_threads.h"

namespace espalier::bench {
namespace {

using Architecture = int (*)();
using ArchitectureName = const char* (*)(int);

class Blis final : public Cblas {
 public:
  explicit Blis(const SharedLibrary& library)
      : Cblas(library),
        setThreads_(library.get<void (*)(int64_t)>("bli_thread_set_num_threads")),
        version_(library.get<const char* (*)()>("bli_info_get_version_str")),
        architecture_(library.get<Architecture>("bli_arch_query_id")),
        architectureName_(library.get<ArchitectureName>("bli_arch_string")) {
    // Before this it cannot tell its kernels.
    library.get<void (*)()>("bli_init")();
  }

  std::string description() const override {
    return std::string("BLIS ") + version_() + ", kernels " + architectureName_(architecture_());
  }

  void setThreads(int threads) override { threads_.change(threads, setThreads_); }

 private:
  void (*setThreads_)(int64_t);
  const char* (*version_)();
  Architecture architecture_;
  ArchitectureName architectureName_;
  ProcessThreads threads_;
};

}  // namespace

std::unique_ptr<DenseLibrary> openBlis() {
  // Its own choice of kernels is best, on Zen 4 too: there those for Zen 3 are faster than its AVX-512 ones.
  return std::make_unique<Blis>(
      SharedLibrary({"libblis.so.4", "libblis.so.5", "libblis.so", "libblis.dylib"}));
}

}  // namespace espalier::bench
