#pragma once

#include <memory>

#include "shapes.h"
#include "workload.h"

namespace espalier::bench {

/// From `batch` samples in host memory, row-major, to their class probabilities, row-major: ReLU networks by
/// a library's products, or on the project's device.
std::unique_ptr<Workload> denseInference(const DenseSource& source, const NetworkShape& shape);
std::unique_ptr<Workload> sparseInference(const NetworkShape& shape, const SparseShape& sparse,
                                          Precision precision);

}  // namespace espalier::bench
