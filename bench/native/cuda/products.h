#pragma once

#include "device/cuda/base/context.h"
#include "options.h"
#include "timing.h"

namespace espalier::cuda::bench {

// Forward, input gradient and weight gradient of one layer, every way there is. Each way is checked once
// against cuBLAS in pedantic float32 on the same numbers, then timed. One line of kind "product" each.

/// cuBLAS, plain and with a mask applied to weights and gradient.
void measureDenseProducts(Context& context, const Options& options, Budget& budget);
/// 1 x 1: the package's kernels and cuSPARSE.
void measureSparseProducts(Context& context, const Options& options, Budget& budget);
/// Blocks: the package's kernels and cuSPARSE.
void measureBlockProducts(Context& context, const Options& options, Budget& budget);

}  // namespace espalier::cuda::bench
