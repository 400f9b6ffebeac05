#include "pace.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "base/caches.h"
#include "base/thread_pool.h"
#include "processors.h"
#include "reading.h"

namespace espalier::bench {

double paceGBs(int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kRounds = 9;
  constexpr int64_t kUsualSecondCache = int64_t{1} << 19, kRead = int64_t{1} << 24;
  ThreadPool pool(threads);
  spreadOverProcessors(threads);
  const Reading reading(pool, cacheBytes(2, kUsualSecondCache) / 2, kRead);
  std::vector<std::array<double, kRounds>> seconds(static_cast<size_t>(threads));
  pool.run([&](int thread) {
    for (double& each : seconds[static_cast<size_t>(thread)]) {
      pool.barrier();
      const Clock::time_point begin = Clock::now();
      reading.read(thread);
      each = std::chrono::duration<double>(Clock::now() - begin).count();
    }
  });
  std::array<double, kRounds> slowest{};
  for (const auto& each : seconds) {
    for (size_t round = 0; round < kRounds; ++round) slowest[round] = std::max(slowest[round], each[round]);
  }
  std::ranges::nth_element(slowest, slowest.begin() + kRounds / 2);
  return static_cast<double>(reading.bytes()) / slowest[kRounds / 2] * 1e-9;
}

}  // namespace espalier::bench
