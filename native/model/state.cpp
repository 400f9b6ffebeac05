#include "model/state.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "topology/lay.h"

namespace espalier {
namespace {

std::string nameOf(size_t layer) {
  return "layer " + std::to_string(layer);
}

/// Sizes of every layer; layers without weights pass theirs on.
void fillSizes(NetworkState& network) {
  const NetworkDescription& description = network.description;
  require(description.inputs > 0, ErrorCode::Option, "inputs must be at least 1");
  require(!description.layers.empty(), ErrorCode::Option, "a network needs at least one layer");
  int64_t width = description.inputs;
  for (size_t i = 0; i < description.layers.size(); ++i) {
    const LayerDescription& layer = description.layers[i];
    const bool weighted = layer.kind == LayerKind::Sparse || layer.kind == LayerKind::Dense;
    LayerState state;
    state.inputs = width;
    state.outputs = weighted ? layer.outputs : width;
    checkGrid({state.outputs, state.inputs, layer.block});
    if (layer.kind == LayerKind::Dropout) {
      require(layer.rate >= 0 && layer.rate < 1, ErrorCode::Option,
              nameOf(i) + ": a dropout rate must be 0 <= rate < 1");
    }
    require(layer.dropConnect >= 0 && layer.dropConnect < 1, ErrorCode::Option,
            nameOf(i) + ": dropConnect must be 0 <= dropConnect < 1");
    width = state.outputs;
    network.layers.push_back(std::move(state));
  }
  const LayerKind last = description.layers.back().kind;
  require(last == LayerKind::Sparse || last == LayerKind::Dense, ErrorCode::Option,
          "the last layer must be sparse or dense");
  require(description.loss != Loss::SoftmaxCrossEntropy || width > 1, ErrorCode::Option,
          "softmaxCrossEntropy needs at least 2 outputs");
}

void layConnections(NetworkState& network) {
  const NetworkDescription& description = network.description;
  std::vector<LayerToLay> layers;
  bool readsInputs = true;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const LayerDescription& layer = description.layers[i];
    if (layer.kind == LayerKind::Sparse) {
      layers.push_back({{network.layers[i].outputs, network.layers[i].inputs, layer.block},
                        layer.sparsity,
                        readsInputs,
                        deriveSeed(description.seed, RandomPurpose::Pattern, static_cast<uint32_t>(i), 0)});
    }
    if (layer.kind == LayerKind::Sparse || layer.kind == LayerKind::Dense) readsInputs = false;
  }
  if (layers.empty()) return;
  std::vector<Pattern> patterns = layPatterns(layers, description.sparsity, description.topology);
  size_t next = 0;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    if (description.layers[i].kind == LayerKind::Sparse) {
      network.layers[i].pattern = std::move(patterns[next++]);
    }
  }
  dropPatterns(network.description.topology);
}

AlignedBuffer<float> filled(int64_t size, float value) {
  AlignedBuffer<float> buffer(size);
  std::fill_n(buffer.data(), size, value);
  return buffer;
}

void drawWeights(NetworkState& network) {
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const LayerDescription& layer = network.description.layers[i];
    LayerState& state = network.layers[i];
    const uint64_t seed =
        deriveSeed(network.description.seed, RandomPurpose::Weights, static_cast<uint32_t>(i), 0);
    if (layer.kind == LayerKind::Sparse) {
      state.weight.values = AlignedBuffer<float>(state.pattern.values());
      initializeWeights(state.pattern, layer.initialization, seed, state.weight.values.span());
    } else if (layer.kind == LayerKind::Dense) {
      state.weight.values = AlignedBuffer<float>(checkedProduct(state.outputs, state.inputs));
      initializeDense(state.outputs, state.inputs, layer.initialization, seed, state.weight.values.span());
    } else if (layer.kind == LayerKind::LayerNorm) {
      state.gain.values = filled(state.outputs, 1.0f);
      state.shift.values = AlignedBuffer<float>(state.outputs);
      continue;
    } else {
      continue;
    }
    if (layer.bias) state.bias.values = AlignedBuffer<float>(state.outputs);
    if (layer.activation == Activation::Srelu) {
      state.srelu.values = AlignedBuffer<float>(4 * state.outputs);
      for (int64_t k = 0; k < 4; ++k) {
        std::fill_n(state.srelu.values.data() + k * state.outputs, state.outputs, kSreluStart[k]);
      }
    }
  }
}

template <typename T>
const AlignedBuffer<T>* findIn(const std::map<std::string, AlignedBuffer<T>>& lists, const std::string& name,
                               int64_t size) {
  const auto found = lists.find(name);
  if (found == lists.end()) return nullptr;
  require(found->second.size() == size, ErrorCode::Data,
          "what rewirings remember as " + name + " has " + std::to_string(found->second.size()) +
              " numbers; the network needs " + std::to_string(size));
  return &found->second;
}

template <typename T>
AlignedBuffer<T>& makeIn(std::map<std::string, AlignedBuffer<T>>& lists, const std::string& name,
                         int64_t size) {
  if (findIn(lists, name, size) == nullptr) lists[name] = AlignedBuffer<T>(size);
  return lists[name];
}

}  // namespace

const AlignedBuffer<int32_t>* RewireMemory::find(const std::string& name, int64_t size) const {
  return findIn(integers, name, size);
}
const AlignedBuffer<float>* RewireMemory::findFloats(const std::string& name, int64_t size) const {
  return findIn(floats, name, size);
}
AlignedBuffer<int32_t>& RewireMemory::make(const std::string& name, int64_t size) {
  return makeIn(integers, name, size);
}
AlignedBuffer<float>& RewireMemory::makeFloats(const std::string& name, int64_t size) {
  return makeIn(floats, name, size);
}

int64_t RewireMemory::bytes() const {
  int64_t sum = 0;
  for (const auto& [name, buffer] : floats) sum += buffer.bytes();
  for (const auto& [name, buffer] : integers) sum += buffer.bytes();
  return sum;
}

NetworkState makeNetwork(const NetworkDescription& description) {
  NetworkState network;
  network.description = description;
  fillSizes(network);
  layConnections(network);
  drawWeights(network);
  return network;
}

NetworkState makeBlankNetwork(const NetworkDescription& description) {
  NetworkState network;
  network.description = description;
  fillSizes(network);
  for (size_t i = 0; i < network.layers.size(); ++i) {
    if (description.layers[i].kind != LayerKind::Sparse) continue;
    LayerState& layer = network.layers[i];
    const int64_t first[] = {0};
    layer.pattern = Pattern::fromPositions({layer.outputs, layer.inputs, description.layers[i].block}, first);
  }
  drawWeights(network);
  return network;
}

void resetOptimizer(NetworkState& network, const Optimizer& optimizer) {
  struct Memory {
    AlignedBuffer<float> first;
    AlignedBuffer<float> second;
    AlignedBuffer<int32_t> births;
  };
  const auto overMemory = [&](const auto& use) {
    for (LayerState& layer : network.layers) {
      LayerState::visitParameters(layer, [&](const char*, Parameter& parameter) {
        const int64_t size = parameter.values.size();
        const bool ages = &parameter == &layer.weight && optimizer.hasSecond() && layer.isSparse();
        use(parameter, optimizer.hasFirst() ? size : 0, optimizer.hasSecond() ? size : 0, ages ? size : 0);
      });
    }
  };
  // What is of another size is made before anything changes: memory may be refused half way.
  std::vector<Memory> made;
  const auto make = []<typename T>(const AlignedBuffer<T>& old, int64_t size) {
    return AlignedBuffer<T>(old.size() == size ? 0 : size);
  };
  overMemory([&](const Parameter& old, int64_t first, int64_t second, int64_t births) {
    made.push_back({make(old.first, first), make(old.second, second), make(old.births, births)});
  });
  const auto take = [](auto& old, auto& next, int64_t size) {
    if (old.size() == size) {
      old.clear();
    } else {
      old = std::move(next);
    }
  };
  auto next = made.begin();
  overMemory([&](Parameter& parameter, int64_t first, int64_t second, int64_t births) {
    take(parameter.first, next->first, first);
    take(parameter.second, next->second, second);
    take(parameter.births, next->births, births);
    ++next;
  });
  for (LayerState& layer : network.layers) layer.memory = {};
  network.optimizer = optimizer;
  network.progress = {};
}

int64_t paddedFeatures(const NetworkState& network, size_t boundary) {
  const auto& layers = network.layers;
  const int64_t features = boundary == 0 ? network.description.inputs : layers[boundary - 1].outputs;
  int64_t padded = features;
  if (boundary > 0) padded = std::max(padded, roundUp(features, layers[boundary - 1].pattern.block().rows));
  if (boundary < layers.size())
    padded = std::max(padded, roundUp(features, layers[boundary].pattern.block().columns));
  return padded;
}

StateBytes bytesOf(const NetworkState& network) {
  StateBytes bytes;
  for (const LayerState& layer : network.layers) {
    bytes.pattern += layer.pattern.bytes();
    bytes.optimizer += layer.memory.bytes();
    LayerState::visitParameters(layer, [&](const char*, const Parameter& parameter) {
      bytes.parameters += parameter.values.bytes();
      bytes.optimizer += parameter.first.bytes() + parameter.second.bytes() + parameter.births.bytes();
    });
  }
  return bytes;
}

}  // namespace espalier
