#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "device/cpu/kernels/kernels.h"
#include "sparse/pattern.h"

namespace espalier::cpu {

/// The two sides of a dense weight gradient, panel by panel.
struct GradientSides {
  int64_t panels = 1;
  int64_t stride = 0;
  std::function<const float*(int64_t panel)> outputGradient;
  std::function<const float*(int64_t panel)> input;
};

/// Rows of that gradient as a whole: rows x inputs, row-major. Every number is summed in the same order,
/// panel by panel, whatever the threads and the rows asked for.
void gradientRows(const Kernels& kernels, ThreadPool& pool, const GradientSides& sides, int64_t inputs,
                  Range rows, std::span<float> gradient);

/// RigL's growth: the `count` block positions outside `kept` (ascending positions) whose gradient
/// outputGradient x transpose(input) has the largest magnitude, for blocks the largest sum of squares;
/// ascending. The gradient is made in tiles that stay in the cache; a matrix of it never exists.
Array<int64_t> growByGradient(const Kernels& kernels, ThreadPool& pool, const Grid& grid,
                              std::span<const int64_t> kept, int64_t count, const GradientSides& sides);

}  // namespace espalier::cpu
