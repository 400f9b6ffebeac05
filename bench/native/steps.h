#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "openblas.h"
#include "sparse/pattern.h"
#include "workload.h"

namespace espalier::bench {

struct StepShape {
  /// Inputs, hidden layers, outputs.
  std::vector<int64_t> sizes;
  int64_t batch = 0;
  int threads = 1;
};

/// A training step of a dense multi-layer perceptron: ReLU, softmax cross-entropy, SGD with momentum; batch
/// gathered from the samples, products by OpenBLAS, everything else by the project's own vector kernels.
std::unique_ptr<Workload> denseStep(const OpenBlas& blas, const StepShape& shape, bool sliced);

/// The same step of a sparse network, as training runs it; the last layer is dense.
std::unique_ptr<Workload> sparseStep(const StepShape& shape, double sparsity, BlockShape block);

}  // namespace espalier::bench
