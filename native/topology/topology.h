#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "sparse/pattern.h"
#include "topology/density.h"
#include "topology/placement.h"
#include "topology/profile_family.h"

namespace espalier {

/// Any position of a layer with equal chance.
struct RandomLayout {};

/// Fan-in by a profile (Tomczak, arXiv 2604.10560).
struct ProfileLayout {
  ProfileFamily family = ProfileFamily::Lognormal;
  /// Coefficient of variation of fan-in, one per sparse layer.
  std::vector<double> cv;
  InputPlacement placement = InputPlacement::Golden;
};

/// Fan-in given for each neuron (block row) of each sparse layer, which decides the number of connections.
struct FanInLayout {
  std::vector<std::vector<int64_t>> counts;
  InputPlacement placement = InputPlacement::Random;
};

/// Every neuron (block row) of a layer with the same fan-in: of B connections neuron i of n gets
/// floor((i + 1) B / n) - floor(i B / n), so that what does not divide is spread evenly.
struct ConstantFanInLayout {};

/// Bands by the importance of the inputs: see spatial_coupling.h.
struct SpatiallyCoupledLayout {
  /// One per input of the network: >= 0, finite, not all 0.
  std::vector<double> importance;
  int64_t blocks = 0;
  int64_t window = 0;
};

/// The connections of another network.
struct SavedLayout {
  /// Of each sparse layer; none in the description of a checkpoint, whose own connections these have become.
  std::shared_ptr<const std::vector<CsrArrays>> patterns;
};

/// Where the connections of sparse layers are laid, and how many each layer gets.
struct Topology {
  /// Has no say over FanInLayout and SavedLayout.
  Density density;
  std::variant<RandomLayout, ProfileLayout, FanInLayout, ConstantFanInLayout, SpatiallyCoupledLayout,
               SavedLayout>
      layout;
};

/// Lets go of saved patterns once they are laid.
inline void dropPatterns(Topology& topology) {
  if (auto* const saved = std::get_if<SavedLayout>(&topology.layout)) saved->patterns.reset();
}

}  // namespace espalier
