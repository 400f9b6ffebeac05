#include "pace.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/caches.h"
#include "base/thread_pool.h"
#include "kernels/loops.h"
#include "processors.h"

namespace espalier::bench {

double paceGBs(int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr int kRounds = 9;
  constexpr int64_t kUsualSecondCache = int64_t{1} << 19, kRead = int64_t{1} << 24;
  const auto unit = static_cast<int64_t>(kSumUnit * sizeof(float));
  const int64_t size = std::max(cacheBytes(2, kUsualSecondCache) / 2 / unit, int64_t{1}) * kSumUnit;
  const int64_t bytes = size * static_cast<int64_t>(sizeof(float)), passes = divideUp(kRead, bytes);
  const Loops& loops = defaultLoops();
  ThreadPool pool(threads);
  spreadOverProcessors(threads);
  std::vector<AlignedBuffer<float>> buffers;
  for (int i = 0; i < threads; ++i) buffers.emplace_back(size);
  std::vector<std::array<double, kRounds>> seconds(static_cast<size_t>(threads));
  pool.run([&](int thread) {
    AlignedBuffer<float>& buffer = buffers[static_cast<size_t>(thread)];
    // Memory that was never written is one page of zeros.
    std::ranges::fill(buffer.span(), 1.0f);
    for (int round = 0; round < kRounds; ++round) {
      float result[16];
      pool.barrier();
      const Clock::time_point begin = Clock::now();
      loops.read(buffer.data(), size, passes, result);
      const std::chrono::duration<double> taken = Clock::now() - begin;
      seconds[static_cast<size_t>(thread)][static_cast<size_t>(round)] = taken.count();
    }
  });
  std::array<double, kRounds> slowest{};
  for (const auto& each : seconds) {
    for (size_t round = 0; round < slowest.size(); ++round)
      slowest[round] = std::max(slowest[round], each[round]);
  }
  std::ranges::nth_element(slowest, slowest.begin() + kRounds / 2);
  return static_cast<double>(bytes * passes) / slowest[kRounds / 2] * 1e-9;
}

}  // namespace espalier::bench
