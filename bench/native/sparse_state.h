#pragma once

#include "model/state.h"
#include "shapes.h"

namespace espalier::bench {

/// A network whose hidden layers are sparse, all alike, and whose last layer is dense. With `trains` it has
/// what SGD with momentum needs.
NetworkState sparseState(const NetworkShape& shape, const SparseShape& sparse, bool trains);

/// The connections of one layer, drawn at random.
Pattern sparsePattern(const LayerShape& shape, const SparseShape& sparse);

}  // namespace espalier::bench
