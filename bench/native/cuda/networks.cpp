#include "networks.h"

#include <algorithm>
#include <cmath>

namespace espalier::cuda::bench {
namespace {

constexpr int64_t kSamples = 2048;
/// A group is long enough that waiting for it does not count.
constexpr double kGroupMicroseconds = 5000;

/// Uniform numbers of He's deviation; faster than normal ones where a layer has hundreds of millions.
void fillWeights(AlignedBuffer<float>& weights, double fanIn, uint64_t seed) {
  const auto scale = static_cast<float>(std::sqrt(6.0 / fanIn));
  uint64_t state = seed;
  for (int64_t i = 0; i < weights.size(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    weights[i] = scale * (static_cast<float>(state >> 40) / float{1 << 23} - 1.0f);
  }
}

}  // namespace

std::string NetworkShape::name() const {
  std::string name;
  for (const int64_t size : sizes) name += (name.empty() ? "" : "-") + std::to_string(size);
  return name;
}

NetworkState makeState(const NetworkShape& shape, double sparsity, int32_t block) {
  NetworkDescription description;
  description.inputs = shape.sizes.front();
  description.sparsity = sparsity;
  description.topology.density.kind = DensityKind::Uniform;
  description.seed = 17;
  for (size_t i = 1; i < shape.sizes.size(); ++i) {
    LayerDescription layer;
    const bool last = i + 1 == shape.sizes.size();
    layer.kind = last || sparsity == 0 ? LayerKind::Dense : LayerKind::Sparse;
    layer.outputs = shape.sizes[i];
    layer.activation = last ? Activation::Linear : Activation::Relu;
    layer.initialization.kind = InitializationKind::Zeros;
    if (layer.kind == LayerKind::Sparse) layer.block = {block, block};
    description.layers.push_back(layer);
  }
  NetworkState network = makeNetwork(description);
  for (size_t i = 0; i < network.layers.size(); ++i) {
    LayerState& layer = network.layers[i];
    const auto connections = static_cast<double>(layer.connections());
    fillWeights(layer.weight.values, std::max(1.0, connections / static_cast<double>(layer.outputs)), i + 1);
  }
  Optimizer optimizer;
  optimizer.kind = shape.optimizer;
  if (shape.optimizer == OptimizerKind::Sgd) optimizer.momentum = 0.9;
  resetOptimizer(network, optimizer);
  return network;
}

NetworkState densified(const NetworkState& network) {
  NetworkState dense;
  dense.description = network.description;
  for (size_t l = 0; l < network.layers.size(); ++l) {
    const LayerState& from = network.layers[l];
    LayerState& to = dense.layers.emplace_back();
    to.inputs = from.inputs;
    to.outputs = from.outputs;
    to.bias.values = AlignedBuffer<float>(from.bias.values.size());
    std::copy_n(from.bias.values.data(), from.bias.values.size(), to.bias.values.data());
    to.weight.values = AlignedBuffer<float>(checkedProduct(from.outputs, from.inputs));
    const Pattern& pattern = from.pattern;
    if (pattern.entries() == 0) {
      std::copy_n(from.weight.values.data(), from.weight.values.size(), to.weight.values.data());
      continue;
    }
    dense.description.layers[l].kind = LayerKind::Dense;
    const BlockShape block = pattern.block();
    for (int64_t row = 0; row < pattern.grid().blockRows(); ++row) {
      for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry) {
        for (int32_t k = 0; k < block.size(); ++k) {
          const int64_t output = row * block.rows + k / block.columns;
          const int64_t input = int64_t{pattern.columns()[entry]} * block.columns + k % block.columns;
          if (output >= from.outputs || input >= from.inputs) continue;
          to.weight.values[output * from.inputs + input] = from.weight.values[entry * block.size() + k];
        }
      }
    }
  }
  resetOptimizer(dense, *network.optimizer);
  return dense;
}

RandomSamples::RandomSamples(const NetworkShape& shape, int32_t batch)
    : features_(shape.sizes.front()), order_(static_cast<uint64_t>(std::max<int64_t>(batch, kSamples)), 3) {
  const int64_t count = std::max<int64_t>(batch, kSamples);
  AlignedBuffer<float> values(count * features_);
  fillWeights(values, 6.0, 5);
  values_.assign(values.data(), values.data() + values.size());
  for (int64_t i = 0; i < count; ++i) labels_.push_back(static_cast<int32_t>(i * 7919 % shape.sizes.back()));
}

Samples RandomSamples::samples() const {
  return {static_cast<int64_t>(labels_.size()), features_, values_.data(), labels_.data(), nullptr};
}

Batch RandomSamples::batch(int64_t step, int32_t size) const {
  const int64_t batches = static_cast<int64_t>(labels_.size()) / size;
  return {step % batches * size, size, &order_};
}

int64_t RandomSamples::bytes() const {
  return static_cast<int64_t>(values_.size() * sizeof(float) + labels_.size() * sizeof(int32_t));
}

void queueStep(const Trainer& trainer, const RandomSamples& samples, const NetworkShape& shape, int32_t batch,
               int64_t number, bool moveWeights) {
  StepSettings settings;
  settings.learningRate = shape.learningRate();
  settings.update = number;
  settings.step = number;
  settings.moveWeights = moveWeights;
  trainer.step(settings, samples.batch(number, batch));
}

Timing timeSteps(const Trainer& trainer, const RandomSamples& samples, const NetworkShape& shape,
                 int32_t batch, Scale scale, int64_t& first) {
  const auto group = [&](int64_t steps) {
    return hostMicroseconds([&] {
      for (int64_t i = 0; i < steps; ++i) queueStep(trainer, samples, shape, batch, first++);
      trainer.finish();
    });
  };
  const bool tiny = scale == Scale::Tiny;
  group(tiny ? 1 : 5);
  const double rough = tiny ? kGroupMicroseconds : group(10) / 10;
  const int64_t steps = std::clamp<int64_t>(static_cast<int64_t>(kGroupMicroseconds / rough), 1, 200);
  std::vector<double> microseconds;
  const int groups = tiny ? 2 : 20;
  for (int i = 0; i < groups; ++i) microseconds.push_back(group(steps) / static_cast<double>(steps));
  return timingOf(std::move(microseconds));
}

}  // namespace espalier::cuda::bench
