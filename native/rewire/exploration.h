#pragma once

#include <optional>

#include "model/state.h"

namespace espalier {

/// Marks every position that has a connection now as explored, one bit each (Liu et al., 2021, In-Time
/// Over-Parameterization): once before training and after every rewiring.
void markExplored(NetworkState& network);

/// R_s of a layer: the share of its block positions that ever had a connection, 0..1; none where it is not
/// followed.
std::optional<double> explorationOf(const LayerState& layer);

}  // namespace espalier
