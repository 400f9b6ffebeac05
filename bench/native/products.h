#pragma once

#include <memory>

#include "shapes.h"
#include "workload.h"

namespace espalier::bench {

/// One product of a dense layer.
std::unique_ptr<Workload> denseProduct(const DenseSource& source, const ProductShape& shape);

/// The same product on the connections alone, by the project's kernels.
std::unique_ptr<Workload> sparseProduct(const ProductShape& shape, const SparseShape& sparse);

/// The two gradients of a layer of single weights, in the way that the layer takes in a network. Throws
/// Error(Option) for other blocks.
std::unique_ptr<Workload> sparseBackward(const LayerShape& shape, const SparseShape& sparse);

}  // namespace espalier::bench
