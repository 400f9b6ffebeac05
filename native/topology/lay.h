#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse/pattern.h"
#include "topology/topology.h"

namespace espalier {

/// A sparse layer whose connections are to be laid.
struct LayerToLay {
  Grid grid;
  /// Of its own, or NaN where the topology decides.
  double sparsity = 0;
  /// Whether its inputs are the network's.
  bool readsInputs = false;
  /// Of everything random in it.
  uint64_t seed = 0;
};

/// Lays all sparse layers of a network. sparsity: of the network. Throws Error(Option) that names what
/// is impossible and, where it is one layer's, the layer.
std::vector<Pattern> layPatterns(std::span<const LayerToLay> layers, double sparsity,
                                 const Topology& topology);

}  // namespace espalier
