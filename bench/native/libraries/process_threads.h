#pragma once

#include <mutex>

namespace espalier::bench {

/// The number of threads of a library that keeps one for the whole process: set only where it changes, by one
/// caller at a time.
class ProcessThreads {
 public:
  template <typename Set>
  void change(int threads, const Set& set) {
    const std::lock_guard lock(mutex_);
    if (threads == threads_) return;
    set(threads);
    threads_ = threads;
  }

 private:
  std::mutex mutex_;
  int threads_ = 0;
};

}  // namespace espalier::bench
