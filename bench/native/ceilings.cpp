#include "ceilings.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/caches.h"
#include "base/thread_pool.h"
#include "kernels/loops.h"
#include "processors.h"
#include "reading.h"

namespace espalier::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kKilobyte = 1024;
constexpr int64_t kMemoryBytes = 256 * kKilobyte * kKilobyte;
constexpr int64_t kMostOfThirdCache = int64_t{32} << 20;

class Measurement {
 public:
  explicit Measurement(int threads) : loops_(defaultLoops()), pool_(threads) {
    spreadOverProcessors(threads);
  }

  double multiplyAdds() {
    std::vector<int64_t> operations(static_cast<size_t>(pool_.threads()));
    const double seconds = fastest([&](int thread) {
      float result[16];
      operations[static_cast<size_t>(thread)] = loops_.multiplyAdd(2'000'000, result);
    });
    return static_cast<double>(operations[0] * pool_.threads()) / seconds * 1e-9;
  }

  /// Bytes a second of reading `bytes` by every thread, as often as makes about `total`.
  double reading(int64_t bytes, int64_t total) {
    const Reading reading(pool_, bytes, total);
    const double seconds = fastest([&](int thread) { reading.read(thread); });
    return static_cast<double>(reading.bytes() * pool_.threads()) / seconds * 1e-9;
  }

 private:
  /// Seconds from when all threads are there to when all are done.
  template <typename Work>
  double fastest(const Work& work) {
    constexpr int kRuns = 15;
    double best = 1e9;
    for (int run = 0; run < kRuns; ++run) {
      Clock::time_point begin;
      pool_.run([&](int thread) {
        pool_.barrier();
        if (thread == 0) begin = Clock::now();
        work(thread);
      });
      best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    return best;
  }

  const Loops& loops_;
  ThreadPool pool_;
};

}  // namespace

Ceilings measureCeilings(int threads) {
  const int64_t first = cacheBytes(1, 32 * kKilobyte), second = cacheBytes(2, 512 * kKilobyte);
  // A virtual machine tells of the whole cache of its host, most of which serves others.
  const int64_t third = std::min(cacheBytes(3, 0) / threads, kMostOfThirdCache);
  Measurement measurement(threads);
  Ceilings ceilings;
  ceilings.fmaGflops = measurement.multiplyAdds();
  ceilings.firstLevelGBs = measurement.reading(first / 2, int64_t{1} << 30);
  ceilings.secondLevelGBs = measurement.reading(second / 2, int64_t{1} << 29);
  if (third / 2 > second) ceilings.thirdLevelGBs = measurement.reading(third / 2, int64_t{1} << 28);
  ceilings.memoryGBs = measurement.reading(kMemoryBytes / threads, kMemoryBytes / threads);
  return ceilings;
}

}  // namespace espalier::bench
