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
      : library_(source.library),
        libraryThreads_(source.sliced ? 1 : threads),
        pool_(source.sliced ? threads : 1) {}

  const DenseLibrary& library() const { return library_; }

  /// Calls work(thread) on every thread, as ThreadPool does.
  template <typename Work>
  void run(const Work& work) {
    pool_.run([&](int thread) {
      library_.setThreads(libraryThreads_);
      work(thread);
    });
  }

  void barrier() { pool_.barrier(); }

  /// A thread's part of `count` rows, in whole vectors.
  cpu::Range share(int64_t count, int thread) const {
    return cpu::evenShare(count, thread, pool_.threads(), cpu::kPanelUnit);
  }

 private:
  DenseLibrary& library_;
  const int libraryThreads_;
  ThreadPool pool_;
};

}  // namespace espalier::bench
