#pragma once

#include "base/thread_pool.h"
#include "device/cpu/work_shares.h"
#include "shapes.h"

namespace espalier::bench {

/// The threads of a dense workload: the project's own with a slice each, or one that calls the library, whose
/// threads then help.
class DenseTeam {
 public:
  DenseTeam(const DenseSource& source, int threads)
      : blas_(source.blas),
        libraryThreads_(source.sliced ? 1 : threads),
        pool_(source.sliced ? threads : 1) {}

  const DenseLibrary& blas() const { return blas_; }

  /// Calls work(thread) on every thread, as ThreadPool does.
  template <typename Work>
  void run(const Work& work) {
    pool_.run([&](int thread) {
      blas_.setThreads(libraryThreads_);
      work(thread);
    });
  }

  void barrier() { pool_.barrier(); }

  /// A thread's part of `count` rows, in whole vectors.
  cpu::Range share(int64_t count, int thread) const {
    return cpu::evenShare(count, thread, pool_.threads(), cpu::kPanelUnit);
  }

 private:
  DenseLibrary& blas_;
  const int libraryThreads_;
  ThreadPool pool_;
};

}  // namespace espalier::bench
