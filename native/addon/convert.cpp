#include "addon/convert.h"

#include <limits>
#include <memory>
#include <utility>

#include "addon/matrix.h"

namespace espalier::addon {
namespace {

constexpr int64_t kLargestSize = std::numeric_limits<int32_t>::max();
constexpr double kLargest = 1e30;

void readActivation(const Input& input, LayerDescription& layer) {
  layer.activation = input.at("type").choice<Activation>({{"linear", Activation::Linear},
                                                          {"relu", Activation::Relu},
                                                          {"leakyRelu", Activation::LeakyRelu},
                                                          {"allRelu", Activation::AllRelu},
                                                          {"srelu", Activation::Srelu},
                                                          {"tanh", Activation::Tanh},
                                                          {"sigmoid", Activation::Sigmoid},
                                                          {"gelu", Activation::Gelu},
                                                          {"silu", Activation::Silu}});
  layer.alpha = static_cast<float>(input.at("alpha").numberWithin(-kLargest, kLargest));
}

LayerDescription readLayer(const Input& input) {
  LayerDescription layer;
  layer.kind = input.at("type").choice<LayerKind>({{"sparse", LayerKind::Sparse},
                                                   {"dense", LayerKind::Dense},
                                                   {"dropout", LayerKind::Dropout},
                                                   {"layerNorm", LayerKind::LayerNorm}});
  switch (layer.kind) {
    case LayerKind::Sparse: {
      layer.block = readBlock(input.at("block"));
      const Input sparsity = input.at("sparsity");
      if (!sparsity.isNull()) layer.sparsity = sparsity.shareBelowOne();
      layer.masked = input.at("masked").boolean();
      [[fallthrough]];
    }
    case LayerKind::Dense:
      layer.outputs = input.at("outputs").integer(1, kLargestSize);
      layer.bias = input.at("bias").boolean();
      layer.dropConnect = static_cast<float>(input.at("dropConnect").shareBelowOne());
      readActivation(input.at("activation"), layer);
      layer.initialization = readInitialization(input.at("initialization"));
      break;
    case LayerKind::Dropout:
      layer.rate = static_cast<float>(input.at("rate").shareBelowOne());
      break;
    case LayerKind::LayerNorm:
      layer.epsilon = static_cast<float>(input.at("epsilon").numberWithin(0, kLargest));
      break;
  }
  return layer;
}

InputPlacement readInputPlacement(const Input& input) {
  return input.choice<InputPlacement>(
      {{"golden", InputPlacement::Golden}, {"random", InputPlacement::Random}});
}

/// None where the input is null, as in the description of a checkpoint.
SavedLayout readPatterns(const Input& input) {
  if (input.isNull()) return {};
  std::vector<CsrArrays> patterns;
  for (const Input& pattern : input.items()) {
    const Input offsets = pattern.at("rowOffsets"), indices = pattern.at("columnIndices");
    const std::span<int64_t> rowOffsets = offsets.int64s();
    const std::span<int32_t> columns = indices.int32s();
    patterns.push_back({{rowOffsets.begin(), rowOffsets.end()}, {columns.begin(), columns.end()}});
  }
  return {std::make_shared<const std::vector<CsrArrays>>(std::move(patterns))};
}

Topology readTopology(const Input& input) {
  enum class Kind { Uniform, ErdosRenyi, Epsilon, Profile, FanIn, ConstantFanIn, SpatiallyCoupled, Saved };
  const auto copy = [](auto numbers) { return std::vector(numbers.begin(), numbers.end()); };
  switch (input.at("type").choice<Kind>({{"uniform", Kind::Uniform},
                                         {"erdosRenyi", Kind::ErdosRenyi},
                                         {"epsilon", Kind::Epsilon},
                                         {"profile", Kind::Profile},
                                         {"fanIn", Kind::FanIn},
                                         {"constantFanIn", Kind::ConstantFanIn},
                                         {"spatiallyCoupled", Kind::SpatiallyCoupled},
                                         {"saved", Kind::Saved}})) {
    case Kind::Profile:
      return {readDensity(input.at("density")),
              ProfileLayout{readProfileFamily(input.at("family")), copy(input.at("cv").doubles()),
                            readInputPlacement(input.at("placement"))}};
    case Kind::FanIn: {
      FanInLayout layout;
      layout.placement = readInputPlacement(input.at("placement"));
      for (const Input& layer : input.at("counts").items()) {
        const std::span<int32_t> counts = layer.int32s();
        layout.counts.emplace_back(counts.begin(), counts.end());
      }
      return {{}, layout};
    }
    case Kind::ConstantFanIn:
      return {readDensity(input.at("density")), ConstantFanInLayout{}};
    case Kind::SpatiallyCoupled:
      return {readDensity(input.at("density")),
              SpatiallyCoupledLayout{copy(input.at("importance").doubles()),
                                     input.at("blocks").integer(1, kLargestSize),
                                     input.at("window").integer(1, kLargestSize)}};
    case Kind::Saved:
      return {{}, readPatterns(input.at("patterns"))};
    default:
      return {readDensity(input), RandomLayout{}};
  }
}

}  // namespace

Initialization readInitialization(const Input& input) {
  const auto kind = input.at("type").choice<InitializationKind>({{"he", InitializationKind::He},
                                                                 {"xavier", InitializationKind::Xavier},
                                                                 {"normal", InitializationKind::Normal},
                                                                 {"zeros", InitializationKind::Zeros}});
  return {kind, static_cast<float>(input.at("deviation").numberWithin(0, kLargest))};
}

Density readDensity(const Input& input) {
  const auto kind = input.at("type").choice<DensityKind>({{"uniform", DensityKind::Uniform},
                                                          {"erdosRenyi", DensityKind::ErdosRenyi},
                                                          {"epsilon", DensityKind::Epsilon}});
  return {kind, input.at("epsilon").numberWithin(0, kLargest)};
}

ProfileFamily readProfileFamily(const Input& input) {
  return input.choice<ProfileFamily>({{"linear", ProfileFamily::Linear},
                                      {"power", ProfileFamily::Power},
                                      {"exponential", ProfileFamily::Exponential},
                                      {"logarithmic", ProfileFamily::Logarithmic},
                                      {"logistic", ProfileFamily::Logistic},
                                      {"gaussian", ProfileFamily::Gaussian},
                                      {"sinusoidal", ProfileFamily::Sinusoidal},
                                      {"quadratic", ProfileFamily::Quadratic},
                                      {"lognormal", ProfileFamily::Lognormal},
                                      {"powerLaw", ProfileFamily::PowerLaw}});
}

NetworkDescription readDescription(const Input& input) {
  NetworkDescription description;
  description.inputs = input.at("inputs").integer(1, kLargestSize);
  for (const Input& layer : input.at("layers").items()) description.layers.push_back(readLayer(layer));
  description.sparsity = input.at("sparsity").shareBelowOne();
  description.topology = readTopology(input.at("topology"));
  description.loss = input.at("loss").choice<Loss>({{"softmaxCrossEntropy", Loss::SoftmaxCrossEntropy},
                                                    {"binaryCrossEntropy", Loss::BinaryCrossEntropy},
                                                    {"squaredError", Loss::SquaredError}});
  description.seed = input.at("seed").seed();
  return description;
}

DeviceKind readDeviceKind(const Input& input) {
  return input.choice<DeviceKind>(
      {{"auto", DeviceKind::Auto}, {"cpu", DeviceKind::Cpu}, {"cuda", DeviceKind::Cuda}});
}

Placement readPlacement(const Input& input) {
  Placement placement;
  placement.device = readDeviceKind(input.at("device"));
  placement.precision = input.at("precision")
                            .choice<Precision>({{"float32", Precision::Float32},
                                                {"tf32", Precision::Tf32},
                                                {"bfloat16", Precision::Bfloat16}});
  placement.denseFallback = input.at("denseFallback").boolean();
  return placement;
}

}  // namespace espalier::addon
