#include "reading.h"

#include <algorithm>

namespace espalier::bench {
namespace {

constexpr auto kUnitBytes = static_cast<int64_t>(kSumUnit * sizeof(float));

}  // namespace

Reading::Reading(ThreadPool& pool, int64_t bytes, int64_t total)
    : loops_(defaultLoops()),
      size_(std::max(bytes / kUnitBytes, int64_t{1}) * kSumUnit),
      passes_(std::max<int64_t>(1, total / bytes)) {
  for (int i = 0; i < pool.threads(); ++i) buffers_.emplace_back(size_);
  // Memory that was never written is one page of zeros; each thread's own lies near to it.
  pool.run([&](int thread) { std::ranges::fill(buffers_[static_cast<size_t>(thread)].span(), 1.0f); });
}

void Reading::read(int thread) const {
  float result[16];
  loops_.read(buffers_[static_cast<size_t>(thread)].data(), size_, passes_, result);
}

}  // namespace espalier::bench
