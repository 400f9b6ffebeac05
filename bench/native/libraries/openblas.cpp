#include "cblas.h"
#include "libraries.h"
#include "process_threads.h"

namespace espalier::bench {
namespace {

class OpenBlas final : public Cblas {
 public:
  explicit OpenBlas(const SharedLibrary& library)
      : Cblas(library),
        setThreads_(library.get<void (*)(int)>("openblas_set_num_threads")),
        config_(library.find<Text>("openblas_get_config")),
        core_(library.find<Text>("openblas_get_corename")) {}

  std::string description() const override {
    std::string text = config_ != nullptr ? config_() : "OpenBLAS";
    text.resize(text.find_last_not_of(' ') + 1);
    if (core_ != nullptr) text += std::string(", kernels ") + core_();
    return text;
  }

  void setThreads(int threads) override { threads_.change(threads, setThreads_); }

 private:
  using Text = char* (*)();

  void (*setThreads_)(int);
  Text config_;
  Text core_;
  ProcessThreads threads_;
};

}  // namespace

std::unique_ptr<DenseLibrary> openOpenBlas() {
  // Version 0.3.21 takes its AVX2 kernels on processors that it does not know, at half the speed; it reads
  // this when it is opened.
  if (processorHasAvx512()) setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 0);
  return std::make_unique<OpenBlas>(
      SharedLibrary({"libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"}));
}

}  // namespace espalier::bench
