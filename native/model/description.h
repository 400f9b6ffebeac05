#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "model/activation.h"
#include "model/loss.h"
#include "sparse/pattern.h"
#include "topology/initialize.h"
#include "topology/topology.h"

namespace espalier {

enum class LayerKind { Sparse, Dense, Dropout, LayerNorm };

/// One layer as the user asked for it. Fields that a kind does not have are left alone.
struct LayerDescription {
  LayerKind kind = LayerKind::Dense;
  /// Sparse and dense.
  int64_t outputs = 0;
  Activation activation = Activation::Linear;
  float alpha = 0;
  bool bias = true;
  Initialization initialization;
  /// DropConnect: share of weights that each training step leaves out, 0 <= dropConnect < 1.
  float dropConnect = 0;
  /// Sparse: block shape, and a sparsity of its own or NaN where the topology decides.
  BlockShape block;
  double sparsity = std::numeric_limits<double>::quiet_NaN();
  /// Sparse: whether it is multiplied as a dense matrix of which most places are 0. Its state is that of any
  /// sparse layer.
  bool masked = false;
  /// Dropout: share of activations that become 0, 0 <= rate < 1.
  float rate = 0;
  /// LayerNorm: added to the variance.
  float epsilon = 1e-5f;
};

/// A network as the user asked for it. Everything else follows from this and the seed.
struct NetworkDescription {
  int64_t inputs = 0;
  std::vector<LayerDescription> layers;
  double sparsity = 0;
  Topology topology;
  Loss loss = Loss::SoftmaxCrossEntropy;
  uint64_t seed = 0;
};

}  // namespace espalier
