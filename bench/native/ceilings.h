#pragma once

#include <optional>

namespace espalier::bench {

/// What the machine can do at best, all threads together: 10^9 operations or bytes a second.
struct Ceilings {
  double fmaGflops = 0;
  double firstLevelGBs = 0;
  double secondLevelGBs = 0;
  /// Nothing where a thread's part of the third-level cache is not larger than its second-level cache.
  std::optional<double> thirdLevelGBs;
  double memoryGBs = 0;
};

/// Multiply-adds on registers, and reading numbers of each thread's own over and over: half of each cache,
/// then 256 MB of memory. The best of many runs.
Ceilings measureCeilings(int threads);

}  // namespace espalier::bench
