#include "model/snapshot.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>

namespace espalier {
namespace {

std::string prefixOf(size_t layer) {
  return "layers." + std::to_string(layer) + ".";
}

/// A sparse layer's weights are called values, as in other libraries' CSR tensors.
std::string tensorName(const LayerState& layer, const char* parameter) {
  const bool values = layer.isSparse() && std::string(parameter) == "weight";
  return values ? "values" : parameter;
}

std::vector<int64_t> shapeOf(const LayerState& layer, const std::string& name) {
  if (name == "values") {
    const BlockShape& block = layer.pattern.block();
    if (block.size() == 1) return {layer.pattern.entries()};
    return {layer.pattern.entries(), block.rows, block.columns};
  }
  if (name == "weight") return {layer.outputs, layer.inputs};
  if (name == "srelu") return {4, layer.outputs};
  return {layer.outputs};
}

const char* firstName(const Optimizer& optimizer) {
  return optimizer.kind == OptimizerKind::Sgd ? ".momentum" : ".first_moment";
}

template <typename T>
std::vector<T> copyOf(std::span<const T> numbers) {
  return {numbers.begin(), numbers.end()};
}

std::string showShape(std::span<const int64_t> shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

template <typename T>
constexpr const char* kTypeName = nullptr;
template <>
constexpr const char* kTypeName<float> = "float32";
template <>
constexpr const char* kTypeName<int32_t> = "int32";
template <>
constexpr const char* kTypeName<int64_t> = "int64";

/// Hands out the tensors of a snapshot by name, each once.
class Shelf {
 public:
  explicit Shelf(const std::vector<Tensor>& tensors) {
    for (const Tensor& tensor : tensors) {
      require(tensors_.emplace(tensor.name, &tensor).second, ErrorCode::Data,
              "tensor " + tensor.name + " is there twice");
    }
  }

  template <typename T>
  const std::vector<T>& take(const std::string& name, std::span<const int64_t> shape) {
    const auto found = tensors_.find(name);
    require(found != tensors_.end(), ErrorCode::Data, "tensor " + name + " is missing");
    const Tensor& tensor = *found->second;
    tensors_.erase(found);
    const auto* const data = std::get_if<std::vector<T>>(&tensor.data);
    require(data != nullptr, ErrorCode::Data, "tensor " + name + " must be of type " + kTypeName<T>);
    int64_t size = 1;
    for (const int64_t side : shape) size = checkedProduct(size, side);
    require(std::ranges::equal(tensor.shape, shape) && static_cast<int64_t>(data->size()) == size,
            ErrorCode::Data,
            "tensor " + name + " is of shape " + showShape(tensor.shape) + " with " +
                std::to_string(data->size()) + " numbers; the network needs " + showShape(shape));
    return *data;
  }

  /// The names that begin so and have not been taken.
  std::vector<std::string> namesUnder(const std::string& prefix) const {
    std::vector<std::string> names;
    for (auto next = tensors_.lower_bound(prefix); next != tensors_.end(); ++next) {
      if (!next->first.starts_with(prefix)) break;
      names.push_back(next->first);
    }
    return names;
  }
  const Tensor& peek(const std::string& name) const { return *tensors_.at(name); }

  AlignedBuffer<float> takeFloats(const std::string& name, std::span<const int64_t> shape) {
    const std::vector<float>& data = take<float>(name, shape);
    const auto wrong = std::ranges::find_if_not(data, [](float x) { return std::isfinite(x); });
    require(wrong == data.end(), ErrorCode::Data,
            "tensor " + name + " is not finite at index " + std::to_string(wrong - data.begin()));
    AlignedBuffer<float> buffer(static_cast<int64_t>(data.size()));
    std::ranges::copy(data, buffer.data());
    return buffer;
  }

  void checkEmpty() const {
    if (!tensors_.empty())
      throw Error(ErrorCode::Data, "tensor " + tensors_.begin()->first + " is none of this network's");
  }

 private:
  std::map<std::string, const Tensor*> tensors_;
};

void checkProgress(const Progress& progress) {
  const int64_t least = std::min({progress.epoch, progress.stepInEpoch, progress.step, progress.rewirings,
                                  progress.updates, progress.correct, progress.samplesSeen});
  require(least >= 0 && std::isfinite(progress.lossSum) && progress.updates <= progress.step, ErrorCode::Data,
          "the progress in this snapshot is not possible");
}

Pattern takePattern(Shelf& shelf, const std::string& prefix, const Pattern& old) {
  const int64_t offsetsShape[] = {old.grid().blockRows() + 1};
  const auto& rowOffsets = shelf.take<int64_t>(prefix + "crow_indices", offsetsShape);
  // Rewirings may have left fewer or more connections than the description lays.
  const int64_t entries = rowOffsets.back();
  require(entries > 0, ErrorCode::Data, "tensor " + prefix + "crow_indices leaves the layer no connection");
  const int64_t columnsShape[] = {entries};
  const auto& columns = shelf.take<int32_t>(prefix + "col_indices", columnsShape);
  try {
    return Pattern(old.grid(), {rowOffsets.begin(), rowOffsets.end()}, {columns.begin(), columns.end()});
  } catch (const Error& error) {
    throw Error(ErrorCode::Data, prefix + "crow_indices, " + prefix + "col_indices: " + error.what());
  }
}

/// Weights beyond the matrix's edges must be 0: they are multiplied like any other.
void checkPadding(const Pattern& pattern, std::span<const float> values, const std::string& name) {
  const Grid& grid = pattern.grid();
  for (int64_t row = 0; row < grid.blockRows(); ++row) {
    for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry) {
      const int64_t height = grid.rows - row * grid.block.rows;
      const int64_t width = grid.columns - int64_t{pattern.columns()[entry]} * grid.block.columns;
      if (height >= grid.block.rows && width >= grid.block.columns) continue;
      for (int64_t i = 0; i < grid.block.size(); ++i) {
        const bool inside = i / grid.block.columns < height && i % grid.block.columns < width;
        if (!inside && values[entry * grid.block.size() + i] != 0) {
          throw Error(ErrorCode::Data, "tensor " + name + " holds a weight outside the matrix, in block " +
                                           std::to_string(entry));
        }
      }
    }
  }
}

void takeMemory(Shelf& shelf, const std::string& name, std::span<const int64_t> shape,
                const std::optional<Optimizer>& optimizer, int64_t updates, bool ages, Parameter& parameter) {
  if (!optimizer) return;
  if (optimizer->hasFirst()) parameter.first = shelf.takeFloats(name + firstName(*optimizer), shape);
  if (optimizer->hasSecond()) parameter.second = shelf.takeFloats(name + ".second_moment", shape);
  if (!ages) return;
  const std::vector<int32_t>& births = shelf.take<int32_t>(name + ".birth_step", shape);
  for (const int32_t birth : births) {
    if (birth < 0 || birth > birthAfter(updates)) {
      throw Error(ErrorCode::Data, "tensor " + name + ".birth_step holds " + std::to_string(birth) +
                                       "; it must be 0 to " + std::to_string(birthAfter(updates)));
    }
  }
  parameter.births = AlignedBuffer<int32_t>(static_cast<int64_t>(births.size()));
  std::ranges::copy(births, parameter.births.data());
}

/// Rules check what they remember when they use it; here it is a list of whatever length.
RewireMemory takeRewireMemory(Shelf& shelf, const std::string& prefix) {
  RewireMemory memory;
  for (const std::string& name : shelf.namesUnder(prefix)) {
    const Tensor& tensor = shelf.peek(name);
    const std::string own = name.substr(prefix.size());
    const std::vector<int64_t> shape = {
        std::visit([](const auto& data) { return static_cast<int64_t>(data.size()); }, tensor.data)};
    if (std::holds_alternative<std::vector<float>>(tensor.data)) {
      memory.floats[own] = shelf.takeFloats(name, shape);
    } else {
      const std::vector<int32_t>& data = shelf.take<int32_t>(name, shape);
      AlignedBuffer<int32_t>& buffer = memory.integers[own];
      buffer = AlignedBuffer<int32_t>(shape[0]);
      std::ranges::copy(data, buffer.data());
    }
  }
  return memory;
}

}  // namespace

Snapshot takeSnapshot(const NetworkState& network) {
  Snapshot snapshot{{}, network.progress, network.optimizer};
  std::vector<Tensor>& tensors = snapshot.tensors;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const LayerState& layer = network.layers[i];
    const std::string prefix = prefixOf(i);
    if (layer.isSparse()) {
      const auto& offsets = layer.pattern.rowOffsets();
      tensors.push_back(
          {prefix + "crow_indices", {static_cast<int64_t>(offsets.size())}, copyOf<int64_t>(offsets)});
      tensors.push_back(
          {prefix + "col_indices", {layer.pattern.entries()}, copyOf<int32_t>(layer.pattern.columns())});
    }
    LayerState::visitParameters(layer, [&](const char* parameterName, const Parameter& parameter) {
      const std::string name = tensorName(layer, parameterName);
      const std::vector<int64_t> shape = shapeOf(layer, name);
      const auto add = [&](const std::string& suffix, const auto& buffer) {
        if (!buffer.empty()) tensors.push_back({prefix + name + suffix, shape, copyOf(buffer.span())});
      };
      add("", parameter.values);
      if (!network.optimizer) return;
      add(firstName(*network.optimizer), parameter.first);
      add(".second_moment", parameter.second);
      add(".birth_step", parameter.births);
    });
    const auto remember = [&](const auto& buffers) {
      for (const auto& [name, buffer] : buffers)
        tensors.push_back({prefix + "rewire." + name, {buffer.size()}, copyOf(buffer.span())});
    };
    remember(layer.memory.floats);
    remember(layer.memory.integers);
  }
  return snapshot;
}

void putSnapshot(NetworkState& network, const Snapshot& snapshot) {
  checkProgress(snapshot.progress);
  Shelf shelf(snapshot.tensors);
  std::vector<LayerState> layers;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const LayerState& old = network.layers[i];
    const std::string prefix = prefixOf(i);
    LayerState layer;
    layer.inputs = old.inputs;
    layer.outputs = old.outputs;
    const bool sparse = old.isSparse();
    if (sparse) layer.pattern = takePattern(shelf, prefix, old.pattern);
    const auto takeParameter = [&](const char* parameterName, const Parameter& had, Parameter& parameter) {
      if (had.empty()) return;
      const std::string name = tensorName(old, parameterName);
      const std::vector<int64_t> shape = shapeOf(layer, name);
      const bool weights = name == "values";
      parameter.values = shelf.takeFloats(prefix + name, shape);
      if (weights) checkPadding(layer.pattern, parameter.values.span(), prefix + name);
      takeMemory(shelf, prefix + name, shape, snapshot.optimizer, snapshot.progress.updates,
                 weights && snapshot.optimizer && snapshot.optimizer->hasSecond(), parameter);
    };
    takeParameter("weight", old.weight, layer.weight);
    takeParameter("bias", old.bias, layer.bias);
    takeParameter("gain", old.gain, layer.gain);
    takeParameter("shift", old.shift, layer.shift);
    takeParameter("srelu", old.srelu, layer.srelu);
    layer.memory = takeRewireMemory(shelf, prefix + "rewire.");
    layers.push_back(std::move(layer));
  }
  shelf.checkEmpty();
  network.layers = std::move(layers);
  network.progress = snapshot.progress;
  network.optimizer = snapshot.optimizer;
}

}  // namespace espalier
