#include "train/gradients.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace espalier {
namespace {

/// SGD's velocity is momentum x velocity + gradient. With the least momentum for which one is kept, what the
/// batch before has left is far below a gradient's rounding; and a rate of 0 moves nothing.
Optimizer keepsGradients() {
  Optimizer optimizer;
  optimizer.kind = OptimizerKind::Sgd;
  optimizer.learningRate = 0;
  optimizer.momentum = std::numeric_limits<float>::min();
  return optimizer;
}

void copyValues(const Parameter& from, Parameter& to) {
  to.values = AlignedBuffer<float>(from.values.size());
  std::ranges::copy(from.values.span(), to.values.data());
}

LayerState copyOf(const LayerState& layer) {
  LayerState copy;
  copy.inputs = layer.inputs;
  copy.outputs = layer.outputs;
  copy.pattern = layer.pattern;
  copyValues(layer.weight, copy.weight);
  copyValues(layer.bias, copy.bias);
  copyValues(layer.gain, copy.gain);
  copyValues(layer.shift, copy.shift);
  copyValues(layer.srelu, copy.srelu);
  return copy;
}

}  // namespace

GradientRecorder::GradientRecorder(const NetworkState& network) {
  network_.description = network.description;
  for (LayerDescription& layer : network_.description.layers) layer.rate = layer.dropConnect = 0;
  for (const LayerState& layer : network.layers) network_.layers.push_back(copyOf(layer));
  resetOptimizer(network_, keepsGradients());
  for (LayerState& layer : network_.layers) {
    LayerState::visitParameters(layer, [&](const char*, const Parameter& parameter) {
      const int64_t size = parameter.values.size();
      totals_.push_back({AlignedBuffer<float>(size), AlignedBuffer<float>(size)});
    });
  }
}

template <typename Visit>
void GradientRecorder::visitTotals(const Visit& visit) {
  size_t next = 0;
  for (LayerState& layer : network_.layers) {
    LayerState::visitParameters(
        layer, [&](const char*, Parameter& parameter) { visit(parameter, totals_[next++]); });
  }
}

void GradientRecorder::add(float weight) {
  visitTotals([&](const Parameter& parameter, Total& total) {
    for (int64_t i = 0; i < parameter.first.size(); ++i) {
      const float gradient = weight * parameter.first[i];
      total.mean[i] += gradient;
      total.magnitude[i] += std::abs(gradient);
    }
  });
}

void GradientRecorder::record(Device& device, const Samples& samples, int64_t batchSize) {
  StepSettings step;
  for (int64_t first = 0; first < samples.count; first += batchSize) {
    const Batch batch{first, std::min(batchSize, samples.count - first), nullptr};
    device.step(samples, batch, step);
    for (const Outcome& outcome : device.finished(true)) {
      require(std::isfinite(outcome.lossSum), ErrorCode::Diverged,
              "the loss of these samples is not a finite number, so there is no gradient");
    }
    device.synchronize();
    add(static_cast<float>(static_cast<double>(batch.count) / static_cast<double>(samples.count)));
    step.step += 1;
    step.update += 1;
  }
}

Gradients GradientRecorder::finish() {
  network_.optimizer.reset();
  const auto tensorsOf = [&](AlignedBuffer<float> Total::*part) {
    visitTotals([&](Parameter& parameter, Total& total) {
      parameter.values = std::move(total.*part);
      parameter.first = {};
    });
    return takeSnapshot(network_).tensors;
  };
  Gradients gradients;
  gradients.mean = tensorsOf(&Total::mean);
  gradients.magnitude = tensorsOf(&Total::magnitude);
  return gradients;
}

}  // namespace espalier
