#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "kernels/loops.h"

namespace espalier::bench {

/// What the threads of a pool read to measure a cache: each a buffer of its own of about `bytes`, as often as
/// makes about `total`.
class Reading {
 public:
  Reading(ThreadPool& pool, int64_t bytes, int64_t total);

  void read(int thread) const;
  /// That each thread reads.
  int64_t bytes() const { return size_ * passes_ * static_cast<int64_t>(sizeof(float)); }

 private:
  const Loops& loops_;
  const int64_t size_;
  const int64_t passes_;
  std::vector<AlignedBuffer<float>> buffers_;
};

}  // namespace espalier::bench
