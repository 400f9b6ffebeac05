#pragma once

#include <memory>

#include "shapes.h"
#include "workload.h"

namespace espalier::bench {

/// One product of a dense layer.
std::unique_ptr<Workload> denseProduct(const DenseSource& source, const ProductShape& shape);

/// The same product on the connections alone, by the project's kernels.
std::unique_ptr<Workload> sparseProduct(const ProductShape& shape, const SparseShape& sparse);

}  // namespace espalier::bench
