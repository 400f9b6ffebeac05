#include "device/cpu/linear_layer.h"

#include <algorithm>

namespace espalier::cpu {
namespace {

/// A negative slope below zero may hide the sign of z, so leaky ReLU's output serves only with a slope above
/// 0.
bool outputSuffices(const ActivationArguments& activation) {
  return derivativeFromOutput(activation.kind) &&
         !(activation.kind == Activation::LeakyRelu && activation.alpha < 0);
}

}  // namespace

ActivationArguments activationOf(const LayerDescription& description, const LayerState& state,
                                 int64_t hiddenNumber) {
  ActivationArguments arguments;
  arguments.kind = description.activation;
  const bool even = hiddenNumber % 2 == 0;
  arguments.alpha = arguments.kind == Activation::AllRelu && even ? -description.alpha : description.alpha;
  arguments.srelu = state.srelu.values.data();
  arguments.units = state.outputs;
  return arguments;
}

LinearLayer::LinearLayer(const LayerSetting& setting, bool keepsGradient)
    : state_(setting.state),
      dropConnect_(setting.training ? setting.description.dropConnect : 0, setting.seed, setting.index,
                   setting.state.weight.values.size()),
      weightSum_(setting.state.weight.values.size(),
                 std::max<int64_t>(setting.gradientSums, keepsGradient ? 1 : 0), &dropConnect_),
      scratch_(static_cast<size_t>(setting.threads)),
      activation_(activationOf(setting.description, setting.state, setting.hiddenNumber)),
      sumsFinishedRows_(setting.gradientInRows && !setting.state.bias.empty() &&
                        activation_.kind != Activation::Srelu),
      biasSum_(setting.state.bias.values.size(), setting.gradientSums),
      sreluSum_(setting.state.srelu.values.size(), setting.gradientSums) {
  output_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
  if (!setting.training) return;
  outputGradient_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
  if (!outputSuffices(activation_))
    preactivation_ = Panels(setting.paddedOutputs, setting.stride, setting.panels);
  for (int64_t panel = 0; panel < setting.panelsAtOnce; ++panel) {
    biasGradients_.emplace_back(state_.bias.values.size());
    sreluGradients_.emplace_back(state_.srelu.values.size());
  }
}

void LinearLayer::prepare(const Pass& pass) {
  if (!pass.training || !dropConnect_.drops()) return;
  dropConnect_.begin(pass.kernels, pass.team, pass.step, state_.weight.values.data());
}

float* LinearLayer::sums(int64_t panel) {
  return keepsPreactivation() ? preactivation_[panel] : output_[panel];
}

void LinearLayer::forward(const Pass& pass, const float* input) {
  multiply(pass, input, sums(pass.panel));
  pass.team.barrier();
}

void LinearLayer::finishRows(const Pass& pass, Range rows, Range samples) {
  const float* const bias = state_.bias.empty() ? nullptr : state_.bias.values.data();
  rows.end = std::min(rows.end, state_.outputs);
  pass.kernels.activate(activation_, bias, sums(pass.panel), output_[pass.panel], pass.stride, rows, samples);
}

void LinearLayer::finishGradientRows(const Pass& pass, Range rows, Range samples) {
  // SReLU's own parameters want the untouched gradient of whole rows first: see settleSrelu.
  if (activation_.kind == Activation::Srelu) return;
  float* const gradient = gradientRows(pass, rows);
  const Range real{0, std::min(rows.end, state_.outputs) - rows.begin};
  pass.kernels.activateBackward(activation_, sums(pass.panel) + rows.begin * pass.stride, gradient,
                                pass.stride, real, samples);
  if (sumsFinishedRows_ && pass.update != nullptr)
    pass.kernels.rowSums(gradient, pass.stride, real, biasGradient(pass) + rows.begin);
}

void LinearLayer::settleSrelu(const Pass& pass) {
  const Range rows = ownRows(pass);
  float* const gradient = outputGradient_[pass.panel];
  float* const sreluGradient = sreluGradients_[static_cast<size_t>(pass.place.sum)].data();
  pass.kernels.sreluGradient(activation_, preactivation_[pass.panel], gradient, pass.stride, rows,
                             sreluGradient);
  pass.kernels.activateBackward(activation_, preactivation_[pass.panel], gradient, pass.stride, rows,
                                {0, pass.stride});
  if (pass.update != nullptr) {
    const UpdateArguments update = UpdateTable::withoutDecay(*pass.update);
    for (int64_t k = 0; k < 4; ++k) {
      const int64_t begin = k * state_.outputs + rows.begin;
      sreluSum_.take(pass.kernels, update, state_.srelu, begin, rows.size(), sreluGradient + begin,
                     pass.place);
    }
  }
  pass.team.barrier();
}

void LinearLayer::settleBias(const Pass& pass) {
  const Range rows = ownRows(pass);
  float* const sums = biasGradient(pass);
  if (!sumsFinishedRows_) pass.kernels.rowSums(outputGradient_[pass.panel], pass.stride, rows, sums);
  biasSum_.take(pass.kernels, UpdateTable::withoutDecay(*pass.update), state_.bias, rows.begin, rows.size(),
                sums + rows.begin, pass.place);
}

void LinearLayer::backward(const Pass& pass, const float* input, CpuLayer* below) {
  if (activation_.kind == Activation::Srelu) settleSrelu(pass);
  beginBackward(pass);
  if (below != nullptr) {
    multiplyTransposed(pass, input, *below);
    pass.team.barrier();
  }
  if (pass.update == nullptr) return;
  settleWeights(pass, input);
  if (!state_.bias.empty()) settleBias(pass);
}

void LinearLayer::combine(const Pass& pass, int64_t panels) {
  const bool last = pass.place.last;
  const UpdateArguments withoutDecay = UpdateTable::withoutDecay(*pass.update);
  weightSum_.combine(pass.kernels, *pass.update, state_.weight, pass.team, panels, last);
  biasSum_.combine(pass.kernels, withoutDecay, state_.bias, pass.team, panels, last);
  sreluSum_.combine(pass.kernels, withoutDecay, state_.srelu, pass.team, panels, last);
}

int64_t LinearLayer::workspaceBytes() const {
  int64_t bytes = CpuLayer::workspaceBytes() + preactivation_.bytes() + dropConnect_.bytes();
  for (const auto& scratch : scratch_) bytes += scratch.bytes();
  return bytes;
}

int64_t LinearLayer::gradientBytes() const {
  int64_t bytes = weightSum_.bytes() + biasSum_.bytes() + sreluSum_.bytes();
  for (const auto& gradient : biasGradients_) bytes += gradient.bytes();
  for (const auto& gradient : sreluGradients_) bytes += gradient.bytes();
  return bytes;
}

}  // namespace espalier::cpu
