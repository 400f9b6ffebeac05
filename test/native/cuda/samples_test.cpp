#include "device/cuda/kernels/samples.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/random.h"
#include "feature_buffers.h"

namespace espalier::cuda::test {
namespace {

constexpr int32_t kRows = 600;

/// Where sample i of a batch of `step` comes from.
int64_t rowOf(const StepParameters& step, int32_t sample) {
  return step.shuffled ? static_cast<int64_t>(step.order(static_cast<uint64_t>(step.first + sample)))
                       : step.first + sample;
}

StepParameters batchStep(int32_t count, bool shuffled) {
  StepParameters step;
  step.count = count;
  step.first = 11;
  step.shuffled = shuffled;
  step.order = Feistel(kRows, 42);
  step.step = 5;
  return step;
}

void checkGather(int32_t features, int32_t stride, int32_t count, bool shuffled, int64_t offset) {
  Context context;
  Random random(1);
  const std::string name = "gather " + std::to_string(features) + " x " + std::to_string(stride) + ", " +
                           std::to_string(count) + " samples";
  const std::vector<float> values = randomValues(random, int64_t{kRows} * features + offset, 1);
  const DeviceBuffer<float> data = upload(context, values);
  StepParameters step = batchStep(count, shuffled);
  step.values = data.data() + offset;
  const DeviceBuffer<StepParameters> stepBuffer = stepOnCard(context, step);
  FeatureBuffers batch(context, int64_t{features} * stride, features != 7);
  gatherBatch(context, stepBuffer.data(), features, batch.out(), stride);
  const std::vector<float> result = batch.checked(name);
  for (int32_t f = 0; f < features; ++f) {
    for (int32_t sample = 0; sample < stride; ++sample) {
      const float expected = sample < count ? values[rowOf(step, sample) * features + f + offset] : 0.0f;
      expectClose(result[int64_t{f} * stride + sample], expected, 0, name);
    }
  }
}

TEST("samples: batches are gathered") {
  for (const int32_t stride : kStrides) {
    for (const int32_t features : {1, 7, 32, 100}) {
      checkGather(features, stride, stride, true, 0);
      checkGather(features, stride, stride - 7, false, 0);
    }
  }
  checkGather(784, 40, 33, true, 0);
  // Rows that do not start on 16 bytes.
  checkGather(100, 40, 33, true, 1);
}

/// Answers and outputs of a batch, on both sides.
struct Answered {
  std::vector<float> outputs;
  std::vector<int32_t> labels;
  std::vector<float> targets;
};

/// Loss, gradient and right answers in float64.
struct Expected {
  double lossSum = 0;
  int64_t correct = 0;
  std::vector<double> gradient;
  std::vector<double> predictions;
};

Expected referenceLoss(Loss loss, const Answered& a, int32_t units, int32_t stride,
                       const StepParameters& step) {
  Expected expected;
  expected.gradient.assign(a.outputs.size(), 0);
  expected.predictions.assign(static_cast<size_t>(step.count) * units, 0);
  for (int32_t sample = 0; sample < step.count; ++sample) {
    const auto place = [&](int32_t unit) { return int64_t{unit} * stride + sample; };
    const int64_t row = rowOf(step, sample);
    int32_t best = 0;
    double top = -std::numeric_limits<double>::infinity(), sum = 0, sampleLoss = 0;
    for (int32_t unit = 0; unit < units; ++unit) {
      top = std::max<double>(top, a.outputs[place(unit)]);
      if (a.outputs[place(unit)] > a.outputs[place(best)]) best = unit;
    }
    for (int32_t unit = 0; unit < units; ++unit) sum += std::exp(a.outputs[place(unit)] - top);
    for (int32_t unit = 0; unit < units; ++unit) {
      const double y = a.outputs[place(unit)];
      const double probability = std::exp(y - top) / sum, sigmoid = 1 / (1 + std::exp(-y));
      double target = 0;
      if (!a.targets.empty()) {
        target = a.targets[row * units + unit];
      } else {
        target = units == 1 ? a.labels[row] : a.labels[row] == unit;
      }
      double slope = 0, prediction = y;
      if (loss == Loss::SoftmaxCrossEntropy) {
        if (unit == a.labels[row]) sampleLoss = std::log(sum) + top - y;
        slope = probability - (unit == a.labels[row] ? 1 : 0);
        prediction = probability;
      } else if (loss == Loss::BinaryCrossEntropy) {
        sampleLoss += (std::max(y, 0.0) - target * y + std::log1p(std::exp(-std::abs(y)))) / units;
        slope = (sigmoid - target) / units;
        prediction = sigmoid;
      } else {
        sampleLoss += (y - target) * (y - target) / units;
        slope = 2 * (y - target) / units;
      }
      expected.gradient[place(unit)] = slope / step.count;
      expected.predictions[static_cast<size_t>(sample) * units + unit] = prediction;
    }
    expected.lossSum += sampleLoss;
    if (a.labels.empty()) continue;
    const double boundary = loss == Loss::BinaryCrossEntropy ? 0 : 0.5;
    const bool right =
        units == 1 ? (a.outputs[sample] > boundary) == (a.labels[row] == 1) : best == a.labels[row];
    expected.correct += right ? 1 : 0;
  }
  return expected;
}

Answered randomAnswers(Loss loss, int32_t units, int32_t stride, bool withTargets, Random& random) {
  Answered a;
  // Half-number steps: ties are common.
  a.outputs = randomValues(random, int64_t{units} * stride, 4);
  for (float& output : a.outputs) output = std::round(2 * output) / 2;
  a.outputs[1] = 60.0f;
  a.outputs[2] = -60.0f;
  if (withTargets) {
    a.targets = randomValues(random, int64_t{kRows} * units, 0.5f);
    for (float& target : a.targets) target += 0.5f;
  }
  if (!withTargets || loss == Loss::SoftmaxCrossEntropy) {
    for (int32_t row = 0; row < kRows; ++row) {
      const int32_t classes = units == 1 && loss != Loss::SoftmaxCrossEntropy ? 2 : units;
      a.labels.push_back(static_cast<int32_t>(random.below(classes)));
    }
  }
  return a;
}

void checkLoss(Loss loss, int32_t units, int32_t stride, int32_t count, bool withTargets, bool withGradient) {
  Context context;
  Random random(7 + static_cast<uint64_t>(units));
  const std::string name = "loss " + std::to_string(static_cast<int>(loss)) + ", " + std::to_string(units) +
                           " x " + std::to_string(stride) + ", " + std::to_string(count) + " samples" +
                           (withTargets ? ", targets" : "");
  const Answered answered = randomAnswers(loss, units, stride, withTargets, random);
  const DeviceBuffer<float> outputs = upload(context, answered.outputs);
  const DeviceBuffer<int32_t> labels = upload(context, answered.labels);
  const DeviceBuffer<float> targets = upload(context, answered.targets);
  StepParameters step = batchStep(count, true);
  step.labels = labels.data();
  step.targets = targets.data();
  const DeviceBuffer<StepParameters> stepBuffer = stepOnCard(context, step);
  const int64_t size = int64_t{units} * stride;
  FeatureBuffers gradient(context, withGradient ? size : 0);
  DeviceBuffer<double> losses = poisoned<double>(context, stride);
  DeviceBuffer<int32_t> rights = poisoned<int32_t>(context, stride);
  PinnedBuffer<StepOutcome> outcomes(3);
  lossAndGradient(context, loss, outputs.data(), gradient.out(), units, stride, stepBuffer.data(),
                  losses.data(), rights.data(), outcomes.data(), 3);
  DeviceBuffer<float> predictions = poisoned<float>(context, int64_t{count} * units);
  predictionsOf(context, loss, outputs.data(), units, stride, count, predictions.data());
  context.stream.synchronize();

  const Expected expected = referenceLoss(loss, answered, units, stride, step);
  const StepOutcome outcome = outcomes[2];
  expect(outcome.step == 5, name + ": step in its slot");
  expect(outcomes[0].step == 0 && outcomes[1].step == 0, name + ": no other slot");
  expect(outcome.correct == expected.correct, name + ": right answers");
  expectClose(outcome.lossSum, expected.lossSum, 1e-6 * (1 + std::abs(expected.lossSum)), name + ": loss");
  const std::vector<float> slopes = gradient.checked(name), answers = download(predictions);
  for (size_t i = 0; i < slopes.size(); ++i) {
    const bool padding = static_cast<int32_t>(i % static_cast<size_t>(stride)) >= count;
    const double scale = 1.0 / count;
    expectClose(slopes[i], expected.gradient[i], padding ? 0 : 1e-6 * scale * (1 + std::abs(60.0 / units)),
                name + ": gradient");
  }
  for (size_t i = 0; i < answers.size(); ++i) {
    expectClose(answers[i], expected.predictions[i], 1e-6, name + ": predictions");
  }
}

constexpr Loss kLosses[] = {Loss::SoftmaxCrossEntropy, Loss::BinaryCrossEntropy, Loss::SquaredError};

TEST("samples: losses, gradients and predictions against float64") {
  for (const Loss loss : kLosses) {
    for (const int32_t stride : kStrides) {
      for (const int32_t units : {1, 3, 10}) checkLoss(loss, units, stride, stride - 5, false, true);
    }
    checkLoss(loss, 1000, 24, 24, false, true);
    checkLoss(loss, 10, 40, 40, true, true);
    checkLoss(loss, 10, 40, 1, true, false);
    checkLoss(loss, 3, 520, 513, false, false);
  }
}

TEST("samples: outputs that are not finite") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Context context;
  // Three units x eight samples; labels are all 0.
  std::vector<float> outputs(24, 0.0f);
  const auto set = [&](int32_t sample, float a, float b, float c) {
    outputs[sample] = a;
    outputs[8 + sample] = b;
    outputs[16 + sample] = c;
  };
  set(0, kNan, 1, 2);        // NaN first: never beaten, as one comparison after the other has it
  set(1, 1, kNan, 0);        // NaN later: never larger
  set(2, 2, -kInfinity, 1);  // a certain no
  set(3, -kInfinity, -kInfinity, 0);
  const DeviceBuffer<float> buffer = upload(context, outputs);
  const DeviceBuffer<int32_t> labels = upload(context, std::vector<int32_t>(8, 0));
  StepParameters step;
  step.count = 4;
  step.labels = labels.data();
  const DeviceBuffer<StepParameters> stepBuffer = stepOnCard(context, step);
  DeviceBuffer<double> losses = poisoned<double>(context, 8);
  DeviceBuffer<int32_t> rights = poisoned<int32_t>(context, 8);
  PinnedBuffer<StepOutcome> outcomes(1);
  FeatureBuffers gradient(context, 24, false);
  lossAndGradient(context, Loss::SoftmaxCrossEntropy, buffer.data(), gradient.out(), 3, 8, stepBuffer.data(),
                  losses.data(), rights.data(), outcomes.data(), 1);
  context.stream.synchronize();
  const std::vector<double> found = download(losses);
  expect(std::isnan(found[0]) && std::isnan(found[1]), "the loss of NaN is NaN");
  expectClose(found[2], std::log1p(std::exp(-1.0)), 1e-6, "-infinity has no share");
  expect(std::isinf(found[3]), "the loss of a certain mistake is infinite");
  expect(std::isnan(outcomes[0].lossSum), "one NaN shows in the sum");
  expect(download(rights) == std::vector<int32_t>({1, 1, 1, 0, 0, 0, 0, 0}), "right answers beside NaN");
  const std::vector<float> slopes = gradient.checked("gradient");
  expectClose(slopes[8 + 2], 0, 0, "-infinity has no gradient");
  for (int32_t i = 0; i < 24; ++i) {
    if (i % 8 >= 4) expectClose(slopes[i], 0, 0, "padding's gradient");
  }
}

void checkDropout(int32_t features, int32_t stride, float rate, bool training, bool inPlace) {
  Context context;
  Random random(2);
  const std::string name = "dropout " + std::to_string(rate) + ", " + std::to_string(features) + " x " +
                           std::to_string(stride) + (training ? "" : ", not training");
  const int64_t size = int64_t{features} * stride;
  const std::vector<float> input = randomValues(random, size, 1);
  StepParameters step;
  step.count = stride;
  step.step = (int64_t{1} << 33) + 9;
  step.training = training;
  const DeviceBuffer<StepParameters> stepBuffer = stepOnCard(context, step);
  const DeviceBuffer<float> source = upload(context, input);
  FeatureBuffers output(context, input);
  if (!inPlace) output = FeatureBuffers(context, size);
  constexpr uint64_t kSeed = 0x123456789ABCDEF;
  dropout(context, rate, kSeed, 3, inPlace ? output.data() : source.data(), output.out(), features, stride,
          stepBuffer.data());
  const std::vector<float> result = output.checked(name);
  // As the processor's kernel has it.
  const uint64_t seed = deriveSeed(kSeed, RandomPurpose::Dropout, 3, static_cast<uint64_t>(step.step));
  const double threshold = std::min(4294967295.0, std::ceil(double{rate} * 4294967296.0));
  const float scale = 1.0f / (1.0f - rate);
  for (int32_t f = 0; f < features; ++f) {
    for (int32_t sample = 0; sample < stride; ++sample) {
      const int64_t i = int64_t{f} * stride + sample;
      const auto bits = randomBits(seed, RandomPurpose::Dropout, static_cast<uint32_t>(f),
                                   static_cast<uint64_t>(sample / 4));
      const bool kept = bits[static_cast<size_t>(sample % 4)] >= threshold;
      const float expected = !training ? input[i] : kept ? input[i] * scale : 0.0f;
      expectClose(result[i], expected, 0, name);
    }
  }
}

TEST("samples: dropout drops what the processor drops") {
  for (const int32_t stride : kStrides) {
    for (const int32_t features : {1, 7, 100}) checkDropout(features, stride, 0.3f, true, features == 7);
  }
  checkDropout(7, 40, 0.3f, false, false);
  checkDropout(7, 40, 0.0f, true, false);
  checkDropout(7, 40, 0.99f, true, true);
}

}  // namespace
}  // namespace espalier::cuda::test
