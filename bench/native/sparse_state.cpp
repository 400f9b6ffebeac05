#include "sparse_state.h"

#include <algorithm>

#include "topology/random_pattern.h"
#include "trained_network.h"

namespace espalier::bench {

NetworkState sparseState(const NetworkShape& shape, const SparseShape& sparse, bool trains) {
  NetworkDescription description;
  description.inputs = shape.sizes.front();
  description.sparsity = sparse.sparsity;
  description.topology.density.kind = DensityKind::Uniform;
  for (size_t i = 1; i < shape.sizes.size(); ++i) {
    LayerDescription layer;
    layer.outputs = shape.sizes[i];
    const bool last = i + 1 == shape.sizes.size();
    layer.kind = last ? LayerKind::Dense : LayerKind::Sparse;
    layer.activation = last ? Activation::Linear : Activation::Relu;
    if (!last) layer.block = sparse.block;
    description.layers.push_back(layer);
  }
  NetworkState network = makeNetwork(description);
  if (trains) {
    Optimizer optimizer;
    optimizer.momentum = kMomentum;
    resetOptimizer(network, optimizer);
  }
  return network;
}

Pattern sparsePattern(const LayerShape& shape, const SparseShape& sparse) {
  const Grid grid{shape.outputs, shape.inputs, sparse.block};
  checkGrid(grid);
  const double blocks = static_cast<double>(grid.positions()) * (1 - sparse.sparsity);
  return randomPattern(grid, std::max<int64_t>(static_cast<int64_t>(blocks + 0.5), 1), 1);
}

}  // namespace espalier::bench
