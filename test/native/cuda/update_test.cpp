#include "device/cuda/kernels/update.h"

#include <cmath>
#include <string>

#include "feature_buffers.h"

namespace espalier::cuda::test {
namespace {

/// Numbers of one weight in float64.
struct Weight {
  double weight, first, second;
};

/// model/optimizer.h, word by word.
Weight referenceStep(const UpdateRule& rule, Weight w, double gradient, double rate, int32_t age) {
  const double sign = w.weight > 0 ? 1 : w.weight < 0 ? -1 : 0;
  gradient += rule.l1 * sign;
  if (rule.kind == OptimizerKind::Sgd) {
    const double g = gradient + rule.weightDecay * w.weight;
    w.first = rule.momentum * w.first + g;
    w.weight -= rate * (rule.nesterov ? g + rule.momentum * w.first : w.first);
    return w;
  }
  double g = gradient;
  if (rule.kind == OptimizerKind::AdamW) {
    w.weight -= rate * rule.weightDecay * w.weight;
  } else {
    g += rule.weightDecay * w.weight;
  }
  w.first = rule.beta1 * w.first + (1 - double{rule.beta1}) * g;
  w.second = rule.beta2 * w.second + (1 - double{rule.beta2}) * g * g;
  const double first = w.first / (1 - std::pow(double{rule.beta1}, age));
  const double second = w.second / (1 - std::pow(double{rule.beta2}, age));
  w.weight -= rate * first / (std::sqrt(second) + rule.epsilon);
  return w;
}

struct Case {
  OptimizerKind kind = OptimizerKind::Sgd;
  float momentum = 0;
  bool nesterov = false;
  bool births = false;
  float l1 = 0;
  bool moves = true;
  /// Elements by which all arrays start off their alignment.
  int64_t offset = 0;
};

std::string nameOf(const Case& c, int64_t size) {
  return "optimizer " + std::to_string(static_cast<int>(c.kind)) + ", momentum " +
         std::to_string(c.momentum) + (c.nesterov ? ", Nesterov" : "") + (c.births ? ", births" : "") +
         (c.l1 != 0 ? ", L1" : "") + ", " + std::to_string(size) + " from " + std::to_string(c.offset);
}

void checkUpdate(const Case& c, int64_t size) {
  Context context;
  Random random(5 + static_cast<uint64_t>(size));
  const std::string name = nameOf(c, size);
  const bool adam = c.kind != OptimizerKind::Sgd;
  const bool hasFirst = adam || c.momentum != 0;
  UpdateRule rule;
  rule.kind = c.kind;
  rule.weightDecay = 0.01f;
  rule.l1 = c.l1;
  rule.momentum = c.momentum;
  rule.nesterov = c.nesterov;
  rule.beta1 = 0.5f;
  rule.beta2 = 0.25f;
  rule.epsilon = 1e-6f;
  // After 24 steps both corrections are 1.
  rule.corrections = 24;
  std::vector<float> corrections[2];
  for (int32_t t = 1; t <= rule.corrections; ++t) {
    corrections[0].push_back(static_cast<float>(1 / (1 - std::pow(0.5, t))));
    corrections[1].push_back(static_cast<float>(1 / (1 - std::pow(0.25, t))));
  }
  const DeviceBuffer<float> firstCorrection = upload(context, corrections[0]);
  const DeviceBuffer<float> secondCorrection = upload(context, corrections[1]);
  rule.firstCorrection = firstCorrection.data();
  rule.secondCorrection = secondCorrection.data();

  const int64_t whole = size + c.offset;
  std::vector<float> weights = randomValues(random, whole, 1);
  const std::vector<float> gradients = randomValues(random, whole, 1);
  // Where L1 has no slope.
  for (size_t i = 0; i < weights.size(); i += 3) weights[i] = i % 2 == 0 ? 0.0f : -0.0f;
  const std::vector<float> firsts = randomValues(random, whole, 0.5f);
  std::vector<float> seconds = randomValues(random, whole, 0.5f);
  for (float& second : seconds) second = std::abs(second);
  std::vector<int32_t> births(static_cast<size_t>(whole));
  StepParameters step = plainStep(1, 0.1f);
  step.update = 30;
  step.moveWeights = c.moves;
  for (int32_t& birth : births) birth = static_cast<int32_t>(random.below(30));
  DeviceBuffer<float> weightBuffer = upload(context, weights), firstBuffer = upload(context, firsts);
  DeviceBuffer<float> secondBuffer = upload(context, seconds);
  const DeviceBuffer<float> gradientBuffer = upload(context, gradients);
  const DeviceBuffer<int32_t> birthBuffer = upload(context, births);
  const DeviceBuffer<StepParameters> stepBuffer = stepOnCard(context, step);
  UpdateTarget target;
  target.weights = weightBuffer.data() + c.offset;
  if (hasFirst) target.first = firstBuffer.data() + c.offset;
  if (adam) target.second = secondBuffer.data() + c.offset;
  if (c.births) target.births = birthBuffer.data() + c.offset;
  updateWeights(context, rule, target, gradientBuffer.data() + c.offset, size, stepBuffer.data());

  const std::vector<float> newWeights = download(weightBuffer), newFirsts = download(firstBuffer);
  const std::vector<float> newSeconds = download(secondBuffer);
  for (int64_t i = 0; i < whole; ++i) {
    Weight expected{weights[i], firsts[i], seconds[i]};
    if (c.moves && i >= c.offset) {
      const int32_t age = c.births ? step.update - births[i] : step.update;
      expected = referenceStep(rule, {weights[i], hasFirst ? firsts[i] : 0.0, seconds[i]}, gradients[i],
                               step.learningRate, age);
    }
    expectClose(newWeights[i], expected.weight, 2e-6, name + ": weight");
    if (hasFirst) expectClose(newFirsts[i], expected.first, 1e-6, name + ": first moment");
    if (adam) expectClose(newSeconds[i], expected.second, 1e-6, name + ": second moment");
  }
}

TEST("update: optimizers against float64") {
  const Case cases[] = {{},
                        {.momentum = 0.9f},
                        {.momentum = 0.9f, .nesterov = true},
                        {.kind = OptimizerKind::Adam},
                        {.kind = OptimizerKind::Adam, .births = true},
                        {.kind = OptimizerKind::AdamW, .births = true},
                        {.momentum = 0.9f, .l1 = 0.5f},
                        {.kind = OptimizerKind::Adam, .l1 = 0.5f},
                        {.kind = OptimizerKind::AdamW, .births = true, .l1 = 0.5f}};
  for (Case c : cases) {
    for (const int64_t size : {1, 3, 4, 7, 1023, 5000}) checkUpdate(c, size);
    c.offset = 1;
    checkUpdate(c, 1030);
    c.offset = 4;
    c.moves = false;
    checkUpdate(c, 1030);
  }
}

TEST("update: more weights than threads") {
  // The emulated card has few multiprocessors, a real one passes through its loop only once.
  checkUpdate({.kind = OptimizerKind::AdamW, .births = true}, 40001);
}

}  // namespace
}  // namespace espalier::cuda::test
