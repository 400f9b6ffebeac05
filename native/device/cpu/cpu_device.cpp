#include "device/cpu/cpu_device.h"

#include <algorithm>
#include <array>
#include <exception>
#include <numeric>
#include <utility>

#include "base/random.h"
#include "base/share.h"
#include "device/cpu/gradient_growth.h"
#include "device/cpu/instruction_set.h"
#include "device/cpu/linear_layer.h"
#include "rewire/grow.h"
#include "rewire/move.h"
#include "rewire/prune.h"

namespace espalier::cpu {
namespace {

int64_t widestPanel(const NetworkState& network) {
  int64_t weights = 0;
  for (const LayerState& layer : network.layers) weights = std::max(weights, layer.pattern.values());
  return cpu::widestPanel(weights);
}

/// Number of panels of a batch, as few and as equal as possible.
int64_t panelCount(const NetworkState& network, int64_t batchSize) {
  return divideUp(std::max<int64_t>(batchSize, 1), widestPanel(network));
}

int64_t panelStride(const NetworkState& network, int64_t batchSize) {
  if (batchSize == 0) return widestPanel(network);
  return roundUp(divideUp(batchSize, panelCount(network, batchSize)), kPanelUnit);
}

Array<int64_t> keptPositions(const Pattern& pattern, std::span<const int32_t> dropped) {
  Array<int64_t> positions = pattern.positions();
  size_t next = 0, kept = 0;
  for (size_t entry = 0; entry < positions.size(); ++entry) {
    if (next < dropped.size() && dropped[next] == static_cast<int32_t>(entry)) {
      ++next;
    } else {
      positions[kept++] = positions[entry];
    }
  }
  positions.resize(kept);
  return positions;
}

}  // namespace

/// The samples of one panel.
struct CpuDevice::PanelWork {
  const Samples& samples;
  const int64_t* indices;
  int64_t count;
};

CpuDevice::CpuDevice(NetworkState& network, const DeviceSettings& settings)
    : network_(network),
      kernels_(defaultKernels()),
      pool_(settings.threads),
      training_(settings.batchSize > 0),
      stride_(panelStride(network, settings.batchSize)),
      panels_(settings.growsByGradient ? panelCount(network, settings.batchSize) : 1),
      severalPanels_(panelCount(network, settings.batchSize) > 1),
      loss_(network.description.loss, network.layers.back().outputs, stride_) {
  if (training_) {
    require(network.optimizer.has_value(), ErrorCode::Internal, "training needs an optimizer");
    updates_ = UpdateTable(*network.optimizer);
  }
  buildLayers();
}

void CpuDevice::buildLayers() {
  input_ = Panels(paddedFeatures(network_, 0), stride_, panels_);
  int64_t hidden = 0;
  for (size_t i = 0; i < network_.layers.size(); ++i) {
    const LayerDescription& description = network_.description.layers[i];
    const bool linear = description.kind == LayerKind::Sparse || description.kind == LayerKind::Dense;
    if (linear) ++hidden;
    const LayerSetting setting{description,
                               network_.layers[i],
                               static_cast<int64_t>(i),
                               network_.description.seed,
                               paddedFeatures(network_, i + 1),
                               stride_,
                               panels_,
                               training_,
                               severalPanels_,
                               pool_.threads(),
                               hidden};
    switch (description.kind) {
      case LayerKind::Sparse:
        layers_.push_back(makeSparseLayer(setting));
        break;
      case LayerKind::Dense:
        layers_.push_back(makeDenseLayer(setting));
        break;
      case LayerKind::Dropout:
        layers_.push_back(makeDropoutLayer(setting));
        break;
      case LayerKind::LayerNorm:
        layers_.push_back(makeLayerNormLayer(setting));
        break;
    }
  }
}

Pass CpuDevice::passOf(int thread, int64_t panel) const {
  Pass pass(kernels_, pool_);
  pass.thread = thread;
  pass.panel = panel;
  pass.stride = stride_;
  return pass;
}

const float* CpuDevice::layerInput(size_t layer, int64_t panel) {
  return layer == 0 ? input_[panel] : layers_[layer - 1]->output(panel);
}

void CpuDevice::forward(const Pass& pass, const PanelWork& work) {
  std::array<const float*, kLargestPanel> rows;
  for (int64_t i = 0; i < work.count; ++i) {
    rows[i] = work.samples.values + work.indices[i] * work.samples.features;
  }
  kernels_.gatherPanel(rows.data(), work.count, input_[pass.panel], stride_,
                       evenShare(work.samples.features, pass.thread, pool_.threads(), kPanelUnit));
  pool_.barrier();
  for (size_t i = 0; i < layers_.size(); ++i) layers_[i]->forward(pass, layerInput(i, pass.panel));
}

void CpuDevice::backward(const Pass& pass) {
  for (size_t i = layers_.size(); i-- > 0;) {
    layers_[i]->backward(pass, layerInput(i, pass.panel), i == 0 ? nullptr : layers_[i - 1].get());
  }
}

void CpuDevice::step(const Samples& samples, const Batch& batch, const StepSettings& settings) {
  const int64_t count = batch.count;
  const int64_t panels = divideUp(count, stride_);
  require(training_ && count > 0 && (panels <= panels_ || panels_ == 1), ErrorCode::Internal,
          "a batch beyond its size");
  indices_.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) indices_[i] = batch.sample(i);
  const UpdateArguments update = updates_.arguments(settings);
  const float scale = 1.0f / static_cast<float>(count);
  Outcome outcome;
  pool_.run([&](int thread) {
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t first = panel * stride_;
      const PanelWork work{samples, indices_.data() + first, std::min(stride_, count - first)};
      Pass pass = passOf(thread, panels_ == 1 ? 0 : panel);
      pass.training = true;
      pass.firstSample = first;
      pass.step = settings.step;
      pass.place = {panel == 0, panel + 1 == panels};
      pass.update = settings.moveWeights ? &update : nullptr;
      forward(pass, work);
      CpuLayer& top = *layers_.back();
      const Range own = evenShare(stride_, thread, pool_.threads(), kPanelUnit);
      loss_.compute(kernels_, top.output(pass.panel), {work.indices, work.count, samples}, own, scale,
                    top.outputGradient(pass.panel));
      top.finishGradientRows(pass, {0, network_.layers.back().outputs}, own);
      pool_.barrier();
      if (thread == 0) loss_.addTo(outcome, work.count);
      backward(pass);
      pool_.barrier();
    }
  });
  panelsOfLastStep_ = panels;
  outcomes_.push_back(outcome);
}

std::vector<Outcome> CpuDevice::finished(bool) {
  return std::exchange(outcomes_, {});
}

template <typename Use>
void CpuDevice::overAllSamples(const Samples& samples, const Use& use) {
  std::array<int64_t, kLargestPanel> indices;
  for (int64_t first = 0; first < samples.count; first += stride_) {
    const int64_t count = std::min(stride_, samples.count - first);
    std::iota(indices.begin(), indices.begin() + count, first);
    use(PanelWork{samples, indices.data(), count});
  }
}

Outcome CpuDevice::evaluate(const Samples& samples) {
  Outcome outcome;
  overAllSamples(samples, [&](const PanelWork& work) {
    pool_.run([&](int thread) {
      const Pass pass = passOf(thread, 0);
      forward(pass, work);
      loss_.compute(kernels_, layers_.back()->output(0), {work.indices, work.count, samples},
                    evenShare(stride_, thread, pool_.threads(), kPanelUnit), 1.0f, nullptr);
    });
    loss_.addTo(outcome, work.count);
  });
  return outcome;
}

void CpuDevice::predict(const Samples& samples, std::span<float> outputs) {
  const int64_t width = network_.layers.back().outputs;
  overAllSamples(samples, [&](const PanelWork& work) {
    float* const top = layers_.back()->output(0);
    pool_.run([&](int thread) {
      forward(passOf(thread, 0), work);
      loss_.toPrediction(kernels_, top, evenShare(stride_, thread, pool_.threads(), kPanelUnit));
    });
    for (int64_t i = 0; i < work.count; ++i) {
      float* const row = outputs.data() + work.indices[i] * width;
      for (int64_t k = 0; k < width; ++k) row[k] = top[k * stride_ + i];
    }
  });
}

/// One sparse layer on its way through a rewiring.
struct CpuDevice::LayerRewiring {
  size_t layer = 0;
  Array<int32_t> dropped;
  Array<int64_t> grown;
  int64_t moved = 0;
  int64_t returned = 0;
};

std::vector<LayerMoves> CpuDevice::rewire(const RewirePlan& plan) {
  std::vector<LayerRewiring> rewirings;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (network_.description.layers[i].kind == LayerKind::Sparse) rewirings.push_back({i, {}, {}, 0, 0});
  }
  overLayers(rewirings, [&](LayerRewiring& rewiring) { drop(plan, rewiring); });
  // The gradient of a layer keeps the whole team busy; everything else is one thread's work a layer.
  if (plan.grow == GrowRule::Gradient) {
    for (LayerRewiring& rewiring : rewirings) growByGradient(rewiring);
  } else {
    overLayers(rewirings, [&](LayerRewiring& rewiring) { growAtRandom(plan, rewiring); });
  }
  overLayers(rewirings, [&](LayerRewiring& rewiring) { move(plan, rewiring); });

  std::vector<LayerMoves> moves;
  for (const LayerRewiring& rewiring : rewirings) {
    const int64_t size = network_.layers[rewiring.layer].pattern.block().size();
    moves.push_back({static_cast<int64_t>(rewiring.layer), rewiring.moved * size, rewiring.returned * size});
  }
  return moves;
}

template <typename Work>
void CpuDevice::overLayers(std::vector<LayerRewiring>& rewirings, const Work& work) {
  std::vector<std::exception_ptr> failures(static_cast<size_t>(pool_.threads()));
  pool_.run([&](int thread) {
    try {
      for (size_t i = static_cast<size_t>(thread); i < rewirings.size(); i += failures.size())
        work(rewirings[i]);
    } catch (...) {
      failures[static_cast<size_t>(thread)] = std::current_exception();
    }
  });
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void CpuDevice::drop(const RewirePlan& plan, LayerRewiring& rewiring) const {
  const LayerState& state = network_.layers[rewiring.layer];
  const auto values = state.weight.values.span();
  const int64_t count = wholeShare(plan.fraction, state.pattern.entries());
  rewiring.dropped = plan.drop == DropRule::BySign ? smallestBySign(state.pattern, values, plan.fraction)
                                                   : smallestEntries(state.pattern, values, count);
}

void CpuDevice::growAtRandom(const RewirePlan& plan, LayerRewiring& rewiring) const {
  const Pattern& pattern = network_.layers[rewiring.layer].pattern;
  const uint64_t seed =
      deriveSeed(plan.seed, RandomPurpose::Growth, static_cast<uint32_t>(rewiring.layer), 0);
  rewiring.grown = espalier::growAtRandom(pattern.grid(), keptPositions(pattern, rewiring.dropped),
                                          static_cast<int64_t>(rewiring.dropped.size()), seed);
}

void CpuDevice::growByGradient(LayerRewiring& rewiring) {
  require(panelsOfLastStep_ > 0, ErrorCode::Internal, "growing by gradient needs a step first");
  const size_t layer = rewiring.layer;
  const Pattern& pattern = network_.layers[layer].pattern;
  const GradientSides sides{panelsOfLastStep_, stride_,
                            [&](int64_t panel) { return layers_[layer]->outputGradient(panel); },
                            [&](int64_t panel) { return layerInput(layer, panel); }};
  rewiring.grown =
      cpu::growByGradient(kernels_, pool_, pattern.grid(), keptPositions(pattern, rewiring.dropped),
                          static_cast<int64_t>(rewiring.dropped.size()), sides);
}

void CpuDevice::move(const RewirePlan& plan, LayerRewiring& rewiring) {
  LayerState& state = network_.layers[rewiring.layer];
  Parameter& weight = state.weight;
  Move move = moveEntries(state.pattern, rewiring.dropped, rewiring.grown, plan.returnedKeepState);
  const int32_t blockSize = state.pattern.block().size();
  rewiring.moved = static_cast<int64_t>(rewiring.grown.size());
  rewiring.returned = move.returned;
  // What follows needs memory of its own; the lists have done their work.
  rewiring.dropped = Array<int32_t>();
  rewiring.grown = Array<int64_t>();
  Array<int32_t> fresh;
  for (size_t entry = 0; entry < move.source.size(); ++entry) {
    if (move.source[entry] < 0) fresh.push_back(static_cast<int32_t>(entry));
  }
  AlignedBuffer<float> spare(weight.values.size());
  AlignedBuffer<int32_t> spareBirths(weight.births.size());

  state.pattern.replace(std::move(move.rowOffsets), std::move(move.columns));
  for (AlignedBuffer<float>* values : {&weight.values, &weight.first, &weight.second}) {
    if (!values->empty()) moveValues(move, blockSize, *values, spare);
  }
  const uint64_t seed =
      deriveSeed(plan.seed, RandomPurpose::NewWeights, static_cast<uint32_t>(rewiring.layer), 0);
  initializeNewWeights(state.pattern, fresh, plan.initialization, seed, weight.values.span());
  if (!weight.births.empty()) {
    moveValues(move, blockSize, weight.births, spareBirths);
    const auto now = static_cast<int32_t>(network_.progress.updates);
    for (const int32_t entry : fresh) {
      std::fill_n(weight.births.data() + int64_t{entry} * blockSize, blockSize, now);
    }
  }
  layers_[rewiring.layer]->patternChanged();
}

DeviceBytes CpuDevice::bytes() const {
  DeviceBytes bytes;
  bytes.workspace = input_.bytes() + loss_.bytes();
  for (const auto& layer : layers_) {
    bytes.workspace += layer->workspaceBytes();
    bytes.gradients += layer->gradientBytes();
  }
  return bytes;
}

}  // namespace espalier::cpu

namespace espalier {

std::unique_ptr<Device> makeCpuDevice(NetworkState& network, const DeviceSettings& settings) {
  return std::make_unique<cpu::CpuDevice>(network, settings);
}

}  // namespace espalier
