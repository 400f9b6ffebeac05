#include "device/cpu/linear_layer.h"

#include <algorithm>

namespace espalier::cpu {
namespace {

ActivationArguments argumentsOf(const LayerSetting& setting) {
  ActivationArguments arguments;
  arguments.kind = setting.description.activation;
  const bool even = setting.hiddenNumber % 2 == 0;
  arguments.alpha =
      arguments.kind == Activation::AllRelu && even ? -setting.description.alpha : setting.description.alpha;
  arguments.srelu = setting.state.srelu.values.data();
  arguments.units = setting.state.outputs;
  return arguments;
}

/// A negative slope below zero may hide the sign of z, so leaky ReLU's output serves only with a slope above
/// 0.
bool outputSuffices(const ActivationArguments& activation) {
  return derivativeFromOutput(activation.kind) &&
         !(activation.kind == Activation::LeakyRelu && activation.alpha < 0);
}

}  // namespace

LinearLayer::LinearLayer(const LayerSetting& setting)
    : state_(setting.state),
      weightSum_(setting.state.weight.values.size(), setting.training && setting.severalPanels),
      scratch_(static_cast<size_t>(setting.threads)),
      activation_(argumentsOf(setting)),
      biasSum_(setting.state.bias.values.size(), setting.training && setting.severalPanels),
      sreluSum_(setting.state.srelu.values.size(), setting.training && setting.severalPanels) {
  output_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
  if (!setting.training) return;
  outputGradient_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
  if (!outputSuffices(activation_))
    preactivation_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
  const bool srelu = activation_.kind == Activation::Srelu;
  smallGradient_ = AlignedBuffer<float>((srelu ? 4 : 1) * state_.outputs);
}

float* LinearLayer::sums(int64_t panel) {
  return keepsPreactivation() ? preactivation_[panel] : output_[panel];
}

void LinearLayer::forward(const Pass& pass, const float* input) {
  multiply(pass, input, sums(pass.panel));
  pass.pool.barrier();
}

void LinearLayer::finishRows(const Pass& pass, Range rows) {
  const float* const bias = state_.bias.empty() ? nullptr : state_.bias.values.data();
  rows.end = std::min(rows.end, state_.outputs);
  pass.kernels.activate(activation_, bias, sums(pass.panel), output_[pass.panel], pass.stride, rows,
                        pass.samples());
}

void LinearLayer::finishGradientRows(const Pass& pass, Range rows, Range samples) {
  // SReLU's own parameters want the untouched gradient of whole rows first: see settleSrelu.
  if (activation_.kind == Activation::Srelu) return;
  rows.end = std::min(rows.end, state_.outputs);
  pass.kernels.activateBackward(activation_, sums(pass.panel), outputGradient_[pass.panel], pass.stride, rows,
                                samples);
}

void LinearLayer::settleSrelu(const Pass& pass) {
  const Range rows = ownRows(pass);
  float* const gradient = outputGradient_[pass.panel];
  pass.kernels.sreluGradient(activation_, preactivation_[pass.panel], gradient, pass.stride, rows,
                             smallGradient_.data());
  pass.kernels.activateBackward(activation_, preactivation_[pass.panel], gradient, pass.stride, rows,
                                {0, pass.stride});
  if (pass.update != nullptr) {
    const UpdateArguments update = UpdateTable::withoutDecay(*pass.update);
    for (int64_t k = 0; k < 4; ++k) {
      const int64_t begin = k * state_.outputs + rows.begin;
      sreluSum_.settle(pass.kernels, update, state_.srelu, begin, rows.size(), smallGradient_.data() + begin,
                       pass.place);
    }
  }
  pass.pool.barrier();
}

void LinearLayer::settleBias(const Pass& pass) {
  const Range rows = ownRows(pass);
  pass.kernels.rowSums(outputGradient_[pass.panel], pass.stride, rows, smallGradient_.data());
  biasSum_.settle(pass.kernels, UpdateTable::withoutDecay(*pass.update), state_.bias, rows.begin, rows.size(),
                  smallGradient_.data() + rows.begin, pass.place);
}

void LinearLayer::backward(const Pass& pass, const float* input, CpuLayer* below) {
  if (activation_.kind == Activation::Srelu) settleSrelu(pass);
  if (below != nullptr) {
    multiplyTransposed(pass, outputGradient_[pass.panel], *below);
    pass.pool.barrier();
  }
  if (pass.update == nullptr) return;
  settleWeights(pass, input);
  if (!state_.bias.empty()) settleBias(pass);
}

int64_t LinearLayer::workspaceBytes() const {
  int64_t bytes = CpuLayer::workspaceBytes() + preactivation_.bytes();
  for (const auto& scratch : scratch_) bytes += scratch.bytes();
  return bytes;
}

int64_t LinearLayer::gradientBytes() const {
  return weightSum_.bytes() + biasSum_.bytes() + sreluSum_.bytes() + smallGradient_.bytes();
}

}  // namespace espalier::cpu
