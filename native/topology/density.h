#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sparse/pattern.h"

namespace espalier {

/// How the weights of a network are shared out among its sparse layers.
enum class DensityKind {
  /// Every layer has the asked sparsity.
  Uniform,
  /// Density in proportion to (in + out) / (in x out): Erdos-Renyi of SET (Mocanu et al., 2018), scaled by
  /// one factor to the asked sparsity as in RigL (Evci et al., 2020).
  ErdosRenyi,
  /// SET's own form: density = epsilon (in + out) / (in x out), at most 1. The asked sparsity plays no part.
  Epsilon
};

struct Density {
  DensityKind kind = DensityKind::ErdosRenyi;
  /// Of Epsilon; ignored by the others.
  double epsilon = 0;
};

/// What a message calls a sparse layer: its place among all of them, and its sizes.
std::string layerName(std::span<const Grid> layers, size_t layer);

/// Number of weights of each sparse layer: size - floor(layer sparsity x size). Rows of a grid are outputs.
///
/// sparsity: 0 <= sparsity < 1. ownSparsity: one per layer, NaN where the density decides; a layer with a
/// sparsity of its own is left out of what is shared out, as in RigL's code. Throws Error(Option)
/// that names the layer for an impossible sparsity and for a layer left without a connection.
std::vector<int64_t> layerConnections(std::span<const Grid> layers, double sparsity, const Density& density,
                                      std::span<const double> ownSparsity);

/// Number of blocks of a pattern that comes nearest to so many weights: exactly that many where a block is 1
/// x 1, else by the mean number of weights of a block (padding left out), at least 1 and at most all.
int64_t blocksFor(const Grid& grid, int64_t connections);

}  // namespace espalier
