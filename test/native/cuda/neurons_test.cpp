#include "device/cuda/kernels/neurons.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "feature_buffers.h"

namespace espalier::cuda::test {
namespace {

constexpr Activation kKinds[] = {Activation::Linear,  Activation::Relu,  Activation::LeakyRelu,
                                 Activation::AllRelu, Activation::Srelu, Activation::Tanh,
                                 Activation::Sigmoid, Activation::Gelu,  Activation::Silu};

/// SReLU's four parameters of one unit.
struct Parts {
  double leftThreshold = 0, leftSlope = 0, rightThreshold = 0, rightSlope = 0;
};

double referenceActivation(Activation kind, double z, double alpha, const Parts& p) {
  switch (kind) {
    case Activation::Linear:
      return z;
    case Activation::Relu:
      return std::max(0.0, z);
    case Activation::LeakyRelu:
    case Activation::AllRelu:
      return z > 0 ? z : alpha * z;
    case Activation::Srelu:
      if (z >= p.rightThreshold) return p.rightThreshold + p.rightSlope * (z - p.rightThreshold);
      if (z <= p.leftThreshold) return p.leftThreshold + p.leftSlope * (z - p.leftThreshold);
      return z;
    case Activation::Tanh:
      return std::tanh(z);
    case Activation::Sigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::Gelu:
      return z * 0.5 * std::erfc(-z / std::sqrt(2.0));
    case Activation::Silu:
      return z / (1 + std::exp(-z));
  }
  return 0;
}

double referenceDerivative(Activation kind, double z, double alpha, const Parts& p) {
  const double s = 1 / (1 + std::exp(-z));
  switch (kind) {
    case Activation::Linear:
      return 1;
    case Activation::Relu:
      return z > 0 ? 1 : 0;
    case Activation::LeakyRelu:
    case Activation::AllRelu:
      return z > 0 ? 1 : alpha;
    case Activation::Srelu:
      if (z >= p.rightThreshold) return p.rightSlope;
      return z <= p.leftThreshold ? p.leftSlope : 1;
    case Activation::Tanh:
      return 1 - std::tanh(z) * std::tanh(z);
    case Activation::Sigmoid:
      return s * (1 - s);
    case Activation::Gelu:
      return 0.5 * std::erfc(-z / std::sqrt(2.0)) + z * std::exp(-z * z / 2) * 0.3989422804014327;
    case Activation::Silu:
      return s * (1 + z * (1 - s));
  }
  return 0;
}

/// One layer's neurons, on both sides.
struct Layer {
  Layer(Context& context, Activation kind, int32_t units, float alpha, uint64_t seed)
      : random(seed), units(units) {
    function = {kind, alpha, nullptr, units};
    if (kind == Activation::Srelu) {
      // Thresholds of some units have crossed.
      srelu = randomValues(random, 4 * int64_t{units}, 1.0f);
      sreluOnCard = upload(context, srelu);
      function.srelu = sreluOnCard.data();
    }
  }
  Parts parts(int32_t unit) const {
    if (srelu.empty()) return {};
    const auto at = [&](int32_t k) { return double{srelu[static_cast<size_t>(k * units + unit)]}; };
    return {at(0), at(1), at(2), at(3)};
  }
  std::string name(int32_t stride) const {
    return "activation " + std::to_string(static_cast<int>(function.kind)) + ", alpha " +
           std::to_string(function.alpha) + ", " + std::to_string(units) + " x " + std::to_string(stride);
  }

  Random random;
  int32_t units;
  std::vector<float> srelu;
  DeviceBuffer<float> sreluOnCard;
  NeuronFunction function;
};

void checkForward(Activation kind, int32_t units, int32_t stride, float alpha, bool withBias) {
  Context context;
  Layer layer(context, kind, units, alpha, 17 + static_cast<uint64_t>(stride));
  const std::string name = layer.name(stride);
  const int64_t size = int64_t{units} * stride;
  std::vector<float> z = randomValues(layer.random, size, 4.0f);
  z[0] = 100.0f;
  z[1] = -100.0f;
  z[2] = 0.0f;
  const std::vector<float> bias = randomValues(layer.random, units, 1.0f);
  const DeviceBuffer<float> biasOnCard = upload(context, bias);
  const bool inPlace = derivativeFromOutput(layer.function);
  FeatureBuffers output(context, z, units > 1);
  DeviceBuffer<float> separate = upload(context, z);
  if (!inPlace) output = FeatureBuffers(context, size, units > 1);
  activate(context, layer.function, withBias ? biasOnCard.data() : nullptr,
           inPlace ? output.data() : separate.data(), output.out(), stride);
  const std::vector<float> values = output.checked(name), kept = download(separate);
  for (int64_t i = 0; i < size; ++i) {
    const auto unit = static_cast<int32_t>(i / stride);
    const float x = withBias ? z[i] + bias[unit] : z[i];
    if (!inPlace) expectClose(kept[i], x, 0, name + ": input with bias");
    const double expected = referenceActivation(kind, x, alpha, layer.parts(unit));
    expectClose(values[i], expected, 1e-6 * (1 + std::abs(expected)), name);
  }
}

void checkBackward(Activation kind, int32_t units, int32_t stride, float alpha, bool moves) {
  Context context;
  Layer layer(context, kind, units, alpha, 99 + static_cast<uint64_t>(stride));
  const std::string name = layer.name(stride) + ", backward";
  const int64_t size = int64_t{units} * stride;
  const int32_t count = stride - 3;
  const std::vector<float> z = randomValues(layer.random, size, 3.0f);
  std::vector<float> source = z;
  if (derivativeFromOutput(layer.function)) {
    for (float& value : source) value = static_cast<float>(referenceActivation(kind, value, alpha, {}));
  }
  std::vector<float> gradient = randomValues(layer.random, size, 1.0f);
  clearPadding(gradient, stride, count);
  const std::vector<float> bias = randomValues(layer.random, units, 1.0f);
  DeviceBuffer<float> biasOnCard = upload(context, bias);
  DeviceBuffer<float> sourceOnCard = upload(context, source);
  FeatureBuffers gradientOnCard(context, gradient, units != 3);
  StepParameters step = plainStep(count);
  step.moveWeights = moves;
  const DeviceBuffer<StepParameters> stepBuffer = stepOnCard(context, step);
  UpdateTarget biasTarget, sreluTarget;
  // Units 3 have no bias.
  if (units != 3) biasTarget.weights = biasOnCard.data();
  sreluTarget.weights = layer.sreluOnCard.data();
  activateBackward(context, layer.function, sourceOnCard.data(), gradientOnCard.out(), stride, sgdWithDecay(),
                   biasTarget, sreluTarget, stepBuffer.data());
  const std::vector<float> result = gradientOnCard.checked(name), newBias = download(biasOnCard);
  std::vector<float> newSrelu;
  if (!layer.srelu.empty()) newSrelu = download(layer.sreluOnCard);
  const double rate = moves ? step.learningRate : 0;
  for (int32_t unit = 0; unit < units; ++unit) {
    const Parts p = layer.parts(unit);
    double sum = 0, parameters[4] = {};
    for (int32_t sample = 0; sample < stride; ++sample) {
      const int64_t i = int64_t{unit} * stride + sample;
      const double x = z[i], dy = gradient[i];
      const double expected = dy * referenceDerivative(kind, x, alpha, p);
      expectClose(result[i], expected, 2e-6, name);
      if (sample >= count) expectClose(result[i], 0, 0, name + ": padding");
      sum += expected;
      if (x >= p.rightThreshold) {
        parameters[2] += dy * (1 - p.rightSlope);
        parameters[3] += dy * (x - p.rightThreshold);
      } else if (x <= p.leftThreshold) {
        parameters[0] += dy * (1 - p.leftSlope);
        parameters[1] += dy * (x - p.leftThreshold);
      }
    }
    const double moved = units == 3 ? bias[unit] : bias[unit] - rate * sum;
    expectClose(newBias[unit], moved, 1e-5 * std::sqrt(stride), name + ": bias");
    for (size_t k = 0; k < 4 && !newSrelu.empty(); ++k) {
      const size_t i = k * static_cast<size_t>(units) + static_cast<size_t>(unit);
      expectClose(newSrelu[i], layer.srelu[i] - rate * parameters[k], 1e-5 * std::sqrt(stride),
                  name + ": SReLU's parameter " + std::to_string(k));
    }
  }
}

TEST("neurons: all activations against float64") {
  for (const Activation kind : kKinds) {
    for (const int32_t stride : kStrides) {
      for (const int32_t units : {1, 3, 10}) checkForward(kind, units, stride, 0.1f, units != 3);
    }
  }
  checkForward(Activation::LeakyRelu, 3, 24, -0.5f, true);
  checkForward(Activation::AllRelu, 3, 24, -0.6f, true);
  checkForward(Activation::Relu, 1000, 8, 0, true);
}

TEST("neurons: derivatives, bias and SReLU's parameters against float64") {
  for (const Activation kind : kKinds) {
    for (const int32_t stride : kStrides) {
      for (const int32_t units : {1, 3, 10}) checkBackward(kind, units, stride, 0.1f, true);
    }
    checkBackward(kind, 10, 24, 0.1f, false);
  }
  checkBackward(Activation::LeakyRelu, 3, 24, -0.5f, true);
  checkBackward(Activation::AllRelu, 10, 24, -0.6f, true);
  checkBackward(Activation::Relu, 1000, 8, 0, true);
}

TEST("neurons: NaN comes through every activation") {
  Context context;
  for (const Activation kind : kKinds) {
    Layer layer(context, kind, 1, 0.1f, 1);
    FeatureBuffers output(context, std::vector<float>(8, std::nanf("")), false);
    activate(context, layer.function, nullptr, output.data(), output.out(), 8);
    for (const float value : output.checked("NaN")) expect(std::isnan(value), layer.name(8) + ": NaN");
  }
}

}  // namespace
}  // namespace espalier::cuda::test
