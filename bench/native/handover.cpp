#include "handover.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "base/thread_pool.h"
#include "processors.h"

namespace espalier::bench {

double handoverNanoseconds(int threads) {
  if (threads < 2) return 0;
  using Clock = std::chrono::steady_clock;
  constexpr int64_t kTurns = 500;
  constexpr int kRounds = 5, kLooks = 10'000;
  ThreadPool pool(threads);
  spreadOverProcessors(threads);
  alignas(128) std::atomic<int64_t> number{0};
  double best = 1e12;
  for (int round = 0; round < kRounds; ++round) {
    number.store(0);
    pool.run([&](int thread) {
      pool.barrier();
      const Clock::time_point begin = Clock::now();
      for (int64_t turn = thread; turn < kTurns * threads; turn += threads) {
        // Beyond the patience of any cache: there are fewer processors than threads.
        for (int looks = 0; number.load(std::memory_order_acquire) != turn; ++looks)
          if (looks > kLooks) std::this_thread::yield();
        number.store(turn + 1, std::memory_order_release);
      }
      if (thread > 0) return;
      const std::chrono::duration<double, std::nano> taken = Clock::now() - begin;
      best = std::min(best, taken.count() / static_cast<double>((kTurns - 1) * threads));
    });
  }
  return best;
}

}  // namespace espalier::bench
