#pragma once

#include <cstdint>
#include <memory>

#include "openblas.h"
#include "sparse/pattern.h"
#include "workload.h"

namespace espalier::bench {

struct ProductShape {
  int64_t outputs = 0;
  int64_t inputs = 0;
  int64_t batch = 0;
  int threads = 1;
};

enum class Product { Forward, InputGradient, WeightGradient };

/// One product of a dense layer by OpenBLAS. `sliced`: the project's threads take a slice each; else the
/// library's own.
std::unique_ptr<Workload> denseProduct(const OpenBlas& blas, const ProductShape& shape, Product product,
                                       bool sliced);

/// The same product on the connections alone, by the project's kernels.
std::unique_ptr<Workload> sparseProduct(const ProductShape& shape, Product product, double sparsity,
                                        BlockShape block);

}  // namespace espalier::bench
