#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/state.h"

namespace espalier {

/// A named array of a network's state.
struct Tensor {
  std::string name;
  std::vector<int64_t> shape;
  std::variant<std::vector<float>, std::vector<int32_t>, std::vector<int64_t>> data;
};

/// A copy of all that training changes. Names: `layers.<index>.` and crow_indices, col_indices and values of
/// a sparse layer (values: [connections], or [blocks, r, c]), weight [outputs, inputs] of a dense one, bias,
/// gain, shift, srelu [4, outputs]; the optimizer's memory has its parameter's name and .momentum, or
/// .first_moment, .second_moment and .birth_step; what rewirings remember is rewire.<name>, a list.
struct Snapshot {
  std::vector<Tensor> tensors;
  Progress progress;
  std::optional<Optimizer> optimizer;
};

Snapshot takeSnapshot(const NetworkState& network);

/// Replaces the network's state by that of a network with the same description. Throws Error(Data) that names
/// the tensor where one is missing, superfluous, of another type or shape, not finite, or breaks an invariant
/// of its pattern; the network is then as it was.
void putSnapshot(NetworkState& network, const Snapshot& snapshot);

}  // namespace espalier
