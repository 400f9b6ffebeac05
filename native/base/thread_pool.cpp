#include "base/thread_pool.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/error.h"

namespace espalier {
namespace {

inline void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Phases are microseconds apart, so a waiting thread spins for a while before it lets the system have the
/// core.
void waitWhile(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int spin = 0; spin < 4000; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) : threads_(std::max(threads, 1)) {
  workers_.reserve(static_cast<size_t>(threads_) - 1);
  try {
    for (int thread = 1; thread < threads_; ++thread)
      workers_.emplace_back([this, thread] { serve(thread); });
  } catch (const std::system_error& error) {
    const size_t started = workers_.size() + 1;
    stop();
    throw Error(ErrorCode::Memory, "the system gives only " + std::to_string(started) + " of " +
                                       std::to_string(threads_) + " threads: " + error.what());
  }
}

ThreadPool::~ThreadPool() {
  stop();
}

void ThreadPool::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(const std::function<void(int)>& work) {
  if (threads_ == 1) {
    work(0);
    return;
  }
  work_ = &work;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  workOn(0);
  barrier();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::workOn(int thread) noexcept {
  try {
    (*work_)(thread);
  } catch (...) {
    const std::lock_guard lock(failureMutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void ThreadPool::barrier() {
  if (threads_ == 1) return;
  const uint32_t generation = generation_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
  } else {
    waitWhile(generation_, generation);
  }
}

void ThreadPool::serve(int thread) {
  uint32_t round = 0;
  for (;;) {
    waitWhile(round_, round);
    ++round;
    if (stopping_.load(std::memory_order_relaxed)) return;
    workOn(thread);
    barrier();
  }
}

int hardwareThreads() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace espalier
