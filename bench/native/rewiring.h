#pragma once

#include <memory>

#include "shapes.h"
#include "workload.h"

namespace espalier::bench {

enum class RewiringRule { Set, Rigl };

/// One rewiring of every sparse layer, 30 % of its connections. RigL grows by the gradients of one step that
/// is made beforehand.
std::unique_ptr<Workload> rewiring(const NetworkShape& shape, const SparseShape& sparse, RewiringRule rule);

}  // namespace espalier::bench
