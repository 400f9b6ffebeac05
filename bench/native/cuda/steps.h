#pragma once

#include "options.h"
#include "timing.h"

namespace espalier::cuda::bench {

/// Whole training steps: sparse networks on the real device against dense ones and against masked ones, with
/// the memory of each ("step"); what rewirings cost ("rewiring"); a step against the sum of its kernels
/// ("kernels"). `context` is there to tell after a failure whether the card still works.
void measureSteps(Context& context, const Options& options, Budget& budget);

}  // namespace espalier::cuda::bench
