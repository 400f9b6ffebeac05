#include "topology/density.h"

#include <algorithm>
#include <cmath>

#include "base/share.h"

namespace espalier {
namespace {

int64_t sizeOf(const Grid& grid) {
  return checkedProduct(grid.rows, grid.columns);
}

/// (in + out) / (in x out): the density that gives every neuron as many connections on average, whatever the
/// width.
double rawDensity(const Grid& grid) {
  return static_cast<double>(grid.rows + grid.columns) / static_cast<double>(sizeOf(grid));
}

void checkSparsity(double sparsity, const std::string& whose) {
  require(sparsity >= 0 && sparsity < 1, ErrorCode::Option,
          whose + " is " + std::to_string(sparsity) + "; it must be at least 0 and below 1");
}

/// Densities of the layers where free[layer], so that together they hold the share 1 - sparsity of their
/// weights.
std::vector<double> erdosRenyiDensities(std::span<const Grid> layers, double sparsity,
                                        const std::vector<bool>& free) {
  std::vector<double> densities(layers.size(), 0);
  std::vector<bool> full(layers.size(), false);
  for (bool again = true; again;) {
    double budget = 0, raw = 0;
    for (size_t i = 0; i < layers.size(); ++i) {
      if (!free[i]) continue;
      const auto size = static_cast<double>(sizeOf(layers[i]));
      budget += (1 - sparsity) * size - (full[i] ? size : 0);
      raw += full[i] ? 0 : rawDensity(layers[i]) * size;
    }
    // A layer beyond 1 becomes dense; what it cannot hold goes to the others by a new factor.
    again = false;
    for (size_t i = 0; i < layers.size(); ++i) {
      if (!free[i]) continue;
      densities[i] = full[i] ? 1 : rawDensity(layers[i]) * budget / raw;
      if (densities[i] > 1) full[i] = again = true;
    }
  }
  return densities;
}

}  // namespace

std::string layerName(std::span<const Grid> layers, size_t layer) {
  return "sparse layer " + std::to_string(layer + 1) + " of " + std::to_string(layers.size()) + " (" +
         std::to_string(layers[layer].columns) + " inputs, " + std::to_string(layers[layer].rows) +
         " outputs)";
}

std::vector<int64_t> layerConnections(std::span<const Grid> layers, double sparsity, const Density& density,
                                      std::span<const double> ownSparsity) {
  require(ownSparsity.size() == layers.size(), ErrorCode::Internal,
          "one own sparsity per sparse layer is needed");
  checkSparsity(sparsity, "sparsity");
  require(density.kind != DensityKind::Epsilon || (density.epsilon > 0 && std::isfinite(density.epsilon)),
          ErrorCode::Option,
          "epsilon is " + std::to_string(density.epsilon) + "; it must be a number above 0");

  std::vector<bool> free(layers.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    checkGrid(layers[i]);
    free[i] = std::isnan(ownSparsity[i]);
  }
  std::vector<double> densities;
  if (density.kind == DensityKind::ErdosRenyi) densities = erdosRenyiDensities(layers, sparsity, free);

  std::vector<int64_t> connections(layers.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    const int64_t size = sizeOf(layers[i]);
    double layerSparsity = sparsity;
    if (!free[i]) {
      checkSparsity(ownSparsity[i], "the sparsity of " + layerName(layers, i));
      layerSparsity = ownSparsity[i];
    } else if (density.kind == DensityKind::ErdosRenyi) {
      layerSparsity = 1 - densities[i];
    } else if (density.kind == DensityKind::Epsilon) {
      layerSparsity = 1 - std::min(1.0, density.epsilon * rawDensity(layers[i]));
    }
    connections[i] = size - wholeShare(layerSparsity, size);
    require(connections[i] > 0, ErrorCode::Option,
            layerName(layers, i) + " is left without a connection at a sparsity of " +
                std::to_string(layerSparsity) + " (asked for the network: " + std::to_string(sparsity) + ")");
  }
  return connections;
}

int64_t blocksFor(const Grid& grid, int64_t connections) {
  if (grid.block.size() == 1) return connections;
  const double perBlock = static_cast<double>(sizeOf(grid)) / static_cast<double>(grid.positions());
  return std::clamp<int64_t>(std::llround(static_cast<double>(connections) / perBlock), 1, grid.positions());
}

}  // namespace espalier
