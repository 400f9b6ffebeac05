#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace espalier {

/// A fixed team of threads that works in phases. The caller of run() is thread 0. However they divide the
/// work, every number is to be computed by one of them as any other would, so that no result depends on
/// timing.
class ThreadPool {
 public:
  /// Throws Error(Memory) where the system does not give so many threads.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  /// Calls work(thread) once on every thread and returns when all are done. Throws what one of them threw;
  /// work that comes to a barrier() must not throw before it.
  void run(const std::function<void(int thread)>& work);

  /// Inside run(): waits until every thread has come here, and shows each the others' writes.
  void barrier();

 private:
  void serve(int thread);
  void workOn(int thread) noexcept;
  void stop();

  const int threads_;
  std::vector<std::thread> workers_;
  const std::function<void(int)>* work_ = nullptr;
  std::mutex failureMutex_;
  /// Of the first thread that failed.
  std::exception_ptr failure_;
  std::atomic<uint32_t> round_{0};
  std::atomic<uint32_t> generation_{0};
  std::atomic<int> arrived_{0};
  std::atomic<bool> stopping_{false};
};

/// Number of hardware threads, at least 1.
int hardwareThreads();

}  // namespace espalier
