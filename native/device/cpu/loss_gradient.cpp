#include "device/cpu/loss_gradient.h"

#include <algorithm>
#include <cmath>

namespace espalier::cpu {

LossGradient::LossGradient(Loss loss, int64_t outputs, int64_t widest)
    : loss_(loss),
      outputs_(outputs),
      losses_(widest),
      logarithms_(widest),
      correct_(widest),
      probabilities_(loss == Loss::SoftmaxCrossEntropy ? outputs * widest : 0) {}

void LossGradient::compute(const Kernels& kernels, const float* outputs, const Answers& answers,
                           int64_t stride, Range samples, float scale, float* gradient) {
  if (loss_ == Loss::SoftmaxCrossEntropy) {
    softmax(kernels, outputs, answers, stride, samples, scale, gradient);
  } else {
    elementwise(outputs, answers, stride, samples, scale, gradient);
  }
  for (int64_t sample = samples.begin; sample < std::min(samples.end, answers.count); ++sample) {
    correct_[sample] = answersRight(outputs, answers, stride, sample) ? 1 : 0;
  }
}

void LossGradient::softmax(const Kernels& kernels, const float* outputs, const Answers& answers,
                           int64_t stride, Range samples, float scale, float* gradient) {
  float* const probabilities = gradient != nullptr ? gradient : probabilities_.data();
  kernels.softmax(outputs, probabilities, stride, outputs_, samples, logarithms_.data());
  const Range real{samples.begin, std::max(samples.begin, std::min(samples.end, answers.count))};
  for (int64_t sample = real.begin; sample < real.end; ++sample) {
    const int32_t label = answers.samples.labels[answers.indices[sample]];
    losses_[sample] = double{logarithms_[sample]} - double{outputs[label * stride + sample]};
    if (gradient != nullptr) gradient[label * stride + sample] -= 1.0f;
  }
  if (gradient == nullptr) return;
  for (int64_t k = 0; k < outputs_; ++k) {
    float* const row = gradient + k * stride;
    for (int64_t sample = real.begin; sample < real.end; ++sample) row[sample] *= scale;
    std::fill(row + real.end, row + samples.end, 0.0f);
  }
}

float LossGradient::target(const Answers& answers, int64_t sample, int64_t output) const {
  const int64_t index = answers.indices[sample];
  if (answers.samples.targets != nullptr) return answers.samples.targets[index * outputs_ + output];
  const int32_t label = answers.samples.labels[index];
  if (outputs_ == 1) return static_cast<float>(label);
  return label == output ? 1.0f : 0.0f;
}

void LossGradient::elementwise(const float* outputs, const Answers& answers, int64_t stride, Range samples,
                               float scale, float* gradient) {
  const double share = 1.0 / static_cast<double>(outputs_);
  for (int64_t sample = samples.begin; sample < samples.end; ++sample) {
    const bool padding = sample >= answers.count;
    double loss = 0;
    for (int64_t k = 0; k < outputs_; ++k) {
      const double y = outputs[k * stride + sample];
      double slope = 0;
      if (!padding) {
        const double t = target(answers, sample, k);
        if (loss_ == Loss::SquaredError) {
          loss += (y - t) * (y - t);
          slope = 2.0 * (y - t);
        } else {
          // log(1 + exp(y)) - t y, written so that exp never overflows.
          loss += std::max(y, 0.0) - t * y + std::log1p(std::exp(-std::abs(y)));
          slope = 1.0 / (1.0 + std::exp(-y)) - t;
        }
      }
      if (gradient != nullptr) gradient[k * stride + sample] = static_cast<float>(slope * share) * scale;
    }
    losses_[sample] = loss * share;
  }
}

bool LossGradient::answersRight(const float* outputs, const Answers& answers, int64_t stride,
                                int64_t sample) const {
  if (answers.samples.labels == nullptr) return false;
  const int32_t label = answers.samples.labels[answers.indices[sample]];
  if (outputs_ == 1) {
    const float boundary = loss_ == Loss::BinaryCrossEntropy ? 0.0f : 0.5f;
    return (outputs[sample] > boundary) == (label == 1);
  }
  int64_t best = 0;
  for (int64_t k = 1; k < outputs_; ++k) {
    if (outputs[k * stride + sample] > outputs[best * stride + sample]) best = k;
  }
  return best == label;
}

void LossGradient::addTo(Outcome& outcome, int64_t count) const {
  for (int64_t sample = 0; sample < count; ++sample) {
    outcome.lossSum += losses_[sample];
    outcome.correct += correct_[sample];
  }
}

void LossGradient::toPrediction(const Kernels& kernels, float* outputs, int64_t stride, Range samples) {
  if (loss_ == Loss::SoftmaxCrossEntropy) {
    kernels.softmax(outputs, outputs, stride, outputs_, samples, logarithms_.data());
  } else if (loss_ == Loss::BinaryCrossEntropy) {
    const ActivationArguments sigmoid{Activation::Sigmoid};
    kernels.activate(sigmoid, nullptr, outputs, outputs, stride, {0, outputs_}, samples);
  }
}

}  // namespace espalier::cpu
