#include "device/cuda/kernels/layer_norm.h"

#include <cmath>
#include <string>

#include "feature_buffers.h"

namespace espalier::cuda::test {
namespace {

constexpr float kEpsilon = 1e-3f;

struct Statistics {
  double mean = 0, inverse = 0;
};

Statistics statisticsOf(const std::vector<float>& input, int32_t features, int32_t stride, int32_t sample) {
  double sum = 0, squares = 0;
  for (int32_t f = 0; f < features; ++f) sum += input[int64_t{f} * stride + sample];
  const double mean = sum / features;
  for (int32_t f = 0; f < features; ++f) squares += std::pow(input[int64_t{f} * stride + sample] - mean, 2);
  return {mean, 1 / std::sqrt(squares / features + kEpsilon)};
}

void checkLayerNorm(int32_t features, int32_t stride, bool below, bool moves) {
  Context context;
  Random random(3 + static_cast<uint64_t>(features));
  const std::string name = "layer norm " + std::to_string(features) + " x " + std::to_string(stride);
  const int64_t size = int64_t{features} * stride;
  const int32_t count = stride - 5;
  std::vector<float> input = randomValues(random, size, 2);
  for (float& value : input) value += 1;
  std::vector<float> gradient = randomValues(random, size, 1);
  clearPadding(gradient, stride, count);
  const std::vector<float> gain = randomValues(random, features, 1),
                           shift = randomValues(random, features, 1);
  const DeviceBuffer<float> inputBuffer = upload(context, input), gradientBuffer = upload(context, gradient);
  DeviceBuffer<float> gainBuffer = upload(context, gain), shiftBuffer = upload(context, shift);
  DeviceBuffer<float> mean = poisoned<float>(context, stride), inverse = poisoned<float>(context, stride);
  FeatureBuffers output(context, size);
  layerNorm(context, inputBuffer.data(), output.out(), features, stride, gainBuffer.data(),
            shiftBuffer.data(), kEpsilon, mean.data(), inverse.data());
  StepParameters step = plainStep(count);
  step.moveWeights = moves;
  const DeviceBuffer<StepParameters> stepBuffer = stepOnCard(context, step);
  FeatureBuffers inputGradient(context, below ? size : 0);
  DeviceBuffer<float> scratch = poisoned<float>(context, 2 * int64_t{stride});
  UpdateTarget gainTarget, shiftTarget;
  gainTarget.weights = gainBuffer.data();
  shiftTarget.weights = shiftBuffer.data();
  layerNormBackward(context, inputBuffer.data(), gradientBuffer.data(), inputGradient.out(), features, stride,
                    mean.data(), inverse.data(), sgdWithDecay(), gainTarget, shiftTarget, stepBuffer.data(),
                    scratch.data());

  const std::vector<float> y = output.checked(name), dx = inputGradient.checked(name + ", backward");
  const std::vector<float> means = download(mean), inverses = download(inverse);
  std::vector<double> gainGradient(features), shiftGradient(features);
  for (int32_t sample = 0; sample < stride; ++sample) {
    const Statistics s = statisticsOf(input, features, stride, sample);
    expectClose(means[sample], s.mean, 2e-6, name + ": mean");
    expectClose(inverses[sample], s.inverse, 1e-5 * s.inverse, name + ": inverse deviation");
    double sum = 0, product = 0;
    for (int32_t f = 0; f < features; ++f) {
      const int64_t i = int64_t{f} * stride + sample;
      const double normal = (input[i] - s.mean) * s.inverse;
      expectClose(y[i], normal * gain[f] + shift[f], 1e-5, name);
      sum += double{gradient[i]} * gain[f] / features;
      product += double{gradient[i]} * gain[f] * normal / features;
      gainGradient[f] += gradient[i] * normal;
      shiftGradient[f] += gradient[i];
    }
    for (int32_t f = 0; f < features && below; ++f) {
      const int64_t i = int64_t{f} * stride + sample;
      const double normal = (input[i] - s.mean) * s.inverse;
      const double expected = (double{gradient[i]} * gain[f] - sum - normal * product) * s.inverse;
      expectClose(dx[i], expected, 1e-5 * (1 + s.inverse), name + ": input gradient");
      if (sample >= count) expectClose(dx[i], 0, 0, name + ": padding");
    }
  }
  const std::vector<float> newGain = download(gainBuffer), newShift = download(shiftBuffer);
  const double rate = moves ? step.learningRate : 0;
  for (int32_t f = 0; f < features; ++f) {
    expectClose(newGain[f], gain[f] - rate * gainGradient[f], 1e-5 * std::sqrt(stride), name + ": gain");
    expectClose(newShift[f], shift[f] - rate * shiftGradient[f], 1e-5 * std::sqrt(stride), name + ": shift");
  }
}

TEST("layer norm: forward and backward against float64") {
  for (const int32_t stride : kStrides) {
    for (const int32_t features : {1, 7, 130}) checkLayerNorm(features, stride, true, true);
  }
  checkLayerNorm(784, 8, true, true);
  checkLayerNorm(7, 24, false, true);
  checkLayerNorm(7, 24, true, false);
}

}  // namespace
}  // namespace espalier::cuda::test
