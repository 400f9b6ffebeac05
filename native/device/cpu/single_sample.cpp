#include "device/cpu/single_sample.h"

#include <algorithm>
#include <utility>

#include "device/cpu/linear_layer.h"

namespace espalier::cpu {
namespace {

int64_t widest(const NetworkState& network) {
  int64_t features = 0;
  for (size_t i = 0; i <= network.layers.size(); ++i)
    features = std::max(features, paddedFeatures(network, i));
  return roundUp(features, std::max({kPanelUnit, kSliceRows, kSliceInputs}));
}

/// Zeroes what only fills up blocks and vectors.
void clearFrom(AlignedBuffer<float>& values, int64_t first) {
  std::fill(values.data() + first, values.data() + values.size(), 0.0f);
}

}  // namespace

bool SingleSample::serves(const NetworkState& network) {
  return std::ranges::all_of(network.description.layers, [](const LayerDescription& layer) {
    return layer.kind != LayerKind::LayerNorm && layer.activation != Activation::Srelu && !layer.masked;
  });
}

SingleSample::SingleSample(const NetworkState& network)
    : network_(network), from_(widest(network)), to_(widest(network)), sliced_(network.layers.size()) {}

int64_t SingleSample::bytes() const {
  int64_t sum = from_.bytes() + to_.bytes();
  for (const auto& matrix : sliced_) sum += matrix ? matrix->bytes() : 0;
  return sum;
}

void SingleSample::multiply(const Kernels& kernels, size_t layer) {
  const LayerState& state = network_.layers[layer];
  const float* const weights = state.weight.values.data();
  if (network_.description.layers[layer].kind != LayerKind::Sparse) {
    kernels.gemv(weights, state.inputs, from_.data(), to_.data(), {0, state.outputs});
  } else if (sliced_[layer]) {
    kernels.slicedSpmv(sliced_[layer]->view(), from_.data(), to_.data());
  } else {
    kernels.spmv(forwardView(state.pattern, weights), from_.data(), to_.data(),
                 {0, state.pattern.grid().blockRows()});
  }
}

const float* SingleSample::run(const Kernels& kernels, const float* sample) {
  calls_ += 1;
  for (size_t i = 0; calls_ == 2 && kernels.slicedSpmv != nullptr && i < sliced_.size(); ++i) {
    const LayerState& state = network_.layers[i];
    if (network_.description.layers[i].kind == LayerKind::Sparse)
      sliced_[i] = SlicedMatrix::of(state.pattern, state.weight.values.span());
  }
  std::copy_n(sample, network_.description.inputs, from_.data());
  clearFrom(from_, network_.description.inputs);
  int64_t hidden = 0;
  for (size_t i = 0; i < network_.layers.size(); ++i) {
    const LayerDescription& description = network_.description.layers[i];
    const LayerState& state = network_.layers[i];
    if (description.kind == LayerKind::Dropout) continue;
    multiply(kernels, i);
    for (int64_t k = 0; k < state.bias.values.size(); ++k) to_[k] += state.bias.values[k];
    // Activations here know no rows, so the neurons may lie where a panel has samples.
    const int64_t width = roundUp(state.outputs, kPanelUnit);
    clearFrom(to_, state.outputs);
    kernels.activate(activationOf(description, state, ++hidden), nullptr, to_.data(), to_.data(), width,
                     {0, 1}, {0, width});
    clearFrom(to_, state.outputs);
    std::swap(from_, to_);
  }
  return from_.data();
}

}  // namespace espalier::cpu
