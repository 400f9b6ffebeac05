#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse/pattern.h"
#include "topology/lay.h"

namespace espalier {

/// The spatially coupled architecture ("Spatially-Coupled Neural Network Architectures", 2019, after
/// spatially coupled LDPC codes). Inputs in falling order of importance (of equals, the first) are cut into
/// as many blocks of equal size, within one; neurons, in their own order, too. Block b of the neurons
/// connects to blocks b .. b + window - 1 of the inputs only, as far as they exist. What a layer has of
/// connections is shared out among its input blocks in proportion to the importance in them; what a block
/// cannot hold goes to the others; within a block's part of the band positions are drawn uniformly without
/// replacement. Importance is of the inputs of the network: later layers, whose inputs are the blocks of the
/// layer before, are banded with equal importance. The paper leaves open how blocks are cut, the window at
/// the border and the draw; they are ours.
///
/// With block shapes all of this counts in block rows and block columns; the importance of a block column is
/// the sum over its inputs. connections: blocks of each layer. Throws Error(Option) for importance of another
/// length than the inputs, negative, not finite or all zero, for more blocks than a layer has inputs or
/// outputs, for a band that cannot hold its connections (naming what it can), and where no sparse layer reads
/// the network's inputs.
std::vector<Pattern> laySpatiallyCoupled(std::span<const LayerToLay> layers,
                                         std::span<const int64_t> connections,
                                         const SpatiallyCoupledLayout& layout);

}  // namespace espalier
