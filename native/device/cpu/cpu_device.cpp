#include "device/cpu/cpu_device.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <utility>

#include "device/cpu/instruction_set.h"
#include "device/cpu/linear_layer.h"

namespace espalier::cpu {
namespace {

/// The samples of a range, as a panel wants them.
struct Consecutive {
  explicit Consecutive(Range range) {
    std::iota(indices.begin(), indices.begin() + range.size(), range.begin);
  }

  std::array<int64_t, kLargestPanel> indices;
};

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
      batchSize_(settings.batchSize),
      narrow_(settings.precision == Precision::Bfloat16),
      panelPlan_(network, settings),
      keepsBatch_(settings.growsByGradient) {
  if (training_) {
    require(network.optimizer.has_value(), ErrorCode::Internal, "training needs an optimizer");
    updates_ = UpdateTable(*network.optimizer);
  }
  const int64_t underWay = panelPlan_.atOnce;
  for (int64_t i = 0; i < underWay; ++i)
    losses_.emplace_back(network.description.loss, network.layers.back().outputs, panelPlan_.stride);
  if (!training_ && SingleSample::serves(network)) single_.emplace(network);
  buildLayers(keepsBatch_ ? panelPlan_.panels : underWay, panelPlan_.panels > 1 ? underWay : 0);
}

void CpuDevice::buildLayers(int64_t panels, int64_t gradientSums) {
  int64_t hidden = 0;
  for (size_t i = 0; i < network_.layers.size(); ++i) {
    const LayerDescription& description = network_.description.layers[i];
    const bool linear = description.kind == LayerKind::Sparse || description.kind == LayerKind::Dense;
    if (linear) ++hidden;
    const bool last = i + 1 == network_.layers.size();
    const bool gradientInRows = !last && network_.description.layers[i + 1].kind != LayerKind::LayerNorm;
    const LayerSetting setting{
        .description = description,
        .state = network_.layers[i],
        .kernels = kernels_,
        .index = static_cast<int64_t>(i),
        .seed = network_.description.seed,
        .paddedOutputs = paddedFeatures(network_, i + 1),
        .stride = panelPlan_.stride,
        .panels = panels,
        .training = training_,
        .gradientInRows = gradientInRows,
        .keepsBatch = keepsBatch_,
        .narrow = narrow_,
        .panelsAtOnce = static_cast<int64_t>(losses_.size()),
        .gradientSums = gradientSums,
        .threads = pool_.threads(),
        .hiddenNumber = hidden,
    };
    switch (description.kind) {
      case LayerKind::Sparse:
        layers_.push_back(description.masked ? makeMaskedLayer(setting) : makeSparseLayer(setting));
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
    prepares_ = prepares_ || layers_.back()->prepares();
  }
  if (!layers_.front()->takesSamples())
    input_ =
        Panels(paddedFeatures(network_, 0), panelPlan_.stride, panelPlan_.gathersTwice ? 2 * panels : panels);
}

float* CpuDevice::input(int64_t panel, int member) {
  return input_[panelPlan_.gathersTwice ? 2 * panel + member : panel];
}

const float* CpuDevice::layerInput(size_t layer, int64_t panel, int member) {
  return layer == 0 ? input(panel, member) : layers_[layer - 1]->output(panel);
}

void CpuDevice::prepare(int thread, int64_t step) {
  if (!prepares_) return;
  Pass pass(kernels_, Team::all(pool_, thread));
  pass.thread = thread;
  pass.training = step > 0;
  pass.step = step;
  for (const auto& layer : layers_) layer->prepare(pass);
  pool_.barrier();
}

template <typename Work, typename Settle>
bool CpuDevice::overPanels(int64_t count, int64_t stride, int64_t step, const Work& work,
                           const Settle& settle, const std::function<bool()>& stops) {
  const int64_t panels = divideUp(count, stride);
  const int64_t atOnce = panelPlan_.atOnce;
  std::atomic<bool> stopped{false};
  pool_.run([&](int thread) {
    prepare(thread, step);
    Pass pass(kernels_, panelPlan_.sideBySide ? Team::alone() : Team::all(pool_, thread));
    pass.thread = thread;
    pass.stride = stride;
    pass.training = step > 0;
    pass.step = step;
    for (int64_t first = 0; first < panels; first += atOnce) {
      const int64_t underWay = std::min(atOnce, panels - first);
      const int64_t panel = first + (panelPlan_.sideBySide ? thread : 0);
      if (panel < first + underWay) {
        pass.panel = panel - first;
        pass.place = {panel - first, first == 0 || panel > first,
                      !panelPlan_.sideBySide && panel + 1 == panels};
        work(pass, Range{panel * stride, std::min((panel + 1) * stride, count)});
      }
      pool_.barrier();
      settle(thread, first, underWay);
      if (first + atOnce >= panels) break;
      if (thread == 0 && stops != nullptr && stops()) stopped = true;
      pool_.barrier();
      if (stopped) break;
    }
  });
  return !stopped;
}

void CpuDevice::forward(const Pass& pass, const PanelWork& work) {
  std::array<const float*, kLargestPanel> rows;
  for (int64_t i = 0; i < work.count; ++i) {
    rows[i] = work.samples.values + work.indices[i] * work.samples.features;
  }
  const int64_t features = work.samples.features;
  if (layers_.front()->takesSamples()) {
    layers_.front()->takeSamples(pass, {rows.data(), static_cast<size_t>(work.count)}, features);
  } else {
    const Range own = panelPlan_.gathersTwice ? Range{0, features} : pass.team.share(features, kPanelUnit);
    kernels_.gatherPanel(rows.data(), work.count,
                         input(pass.panel, pass.team.member()) + own.begin * pass.stride, pass.stride, own);
  }
  clearPadding(pass);
  pass.team.barrier();
  for (size_t i = 0; i < layers_.size(); ++i)
    layers_[i]->forward(pass, layerInput(i, pass.panel, pass.team.member()));
}

void CpuDevice::clearPadding(const Pass& pass) {
  const auto clear = [&](float* panel, int64_t features, int64_t padded) {
    std::fill(panel + features * pass.stride, panel + padded * pass.stride, 0.0f);
  };
  const int member = pass.team.member();
  if (!input_.empty() && (member == 0 || panelPlan_.gathersTwice))
    clear(input(pass.panel, member), network_.description.inputs, paddedFeatures(network_, 0));
  if (member > 0) return;
  for (size_t i = 0; i < layers_.size(); ++i) {
    clear(layers_[i]->output(pass.panel), network_.layers[i].outputs, paddedFeatures(network_, i + 1));
  }
}

void CpuDevice::backward(const Pass& pass) {
  for (size_t i = layers_.size(); i-- > 0;) {
    layers_[i]->backward(pass, layerInput(i, pass.panel, pass.team.member()),
                         i == 0 ? nullptr : layers_[i - 1].get());
  }
}

void CpuDevice::step(const Samples& samples, const Batch& batch, const StepSettings& settings) {
  const int64_t count = batch.count;
  require(training_ && count > 0 && count <= batchSize_, ErrorCode::Internal, "a batch beyond its size");
  indices_.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) indices_[i] = batch.sample(i);
  const UpdateArguments update = updates_.arguments(settings);
  const float scale = 1.0f / static_cast<float>(count);
  Outcome outcome;
  const auto learn = [&](Pass& pass, Range places) {
    const PanelWork work{samples, indices_.data() + places.begin, places.size()};
    if (keepsBatch_) pass.panel = places.begin / panelPlan_.stride;
    pass.firstSample = places.begin;
    pass.update = settings.moveWeights ? &update : nullptr;
    forward(pass, work);
    CpuLayer& top = *layers_.back();
    const Range own = pass.team.share(panelPlan_.stride, kPanelUnit);
    lossOf(pass).compute(kernels_, top.output(pass.panel), {work.indices, work.count, samples},
                         panelPlan_.stride, own, scale, top.outputGradient(pass.panel));
    top.finishGradientRows(pass, {0, network_.layers.back().outputs}, own);
    pass.team.barrier();
    backward(pass);
  };
  const auto settle = [&](int thread, int64_t first, int64_t underWay) {
    if (thread == 0) addOutcomes(outcome, count, panelPlan_.stride, first, underWay);
    if (!panelPlan_.sideBySide || !settings.moveWeights) return;
    Pass pass(kernels_, Team::all(pool_, thread));
    pass.update = &update;
    pass.place.last = (first + underWay) * panelPlan_.stride >= count;
    for (const auto& layer : layers_) layer->combine(pass, underWay);
  };
  overPanels(count, panelPlan_.stride, settings.step, learn, settle);
  panelsOfLastStep_ = divideUp(count, panelPlan_.stride);
  outcomes_.push_back(outcome);
}

void CpuDevice::addOutcomes(Outcome& outcome, int64_t count, int64_t stride, int64_t first,
                            int64_t underWay) const {
  for (int64_t i = 0; i < underWay; ++i)
    losses_[static_cast<size_t>(i)].addTo(outcome, std::min(stride, count - (first + i) * stride));
}

GradientSides CpuDevice::gradientSides(size_t layer) {
  require(keepsBatch_ && panelsOfLastStep_ > 0, ErrorCode::Internal,
          "the gradient of a layer needs a step first, on a device that keeps its batch");
  return {panelsOfLastStep_, panelPlan_.stride,
          [this, layer](int64_t panel) { return layers_[layer]->outputGradient(panel); },
          [this, layer](int64_t panel) { return layerInput(layer, panel, 0); }};
}

void CpuDevice::readGradient(size_t layer, int64_t firstRow, int64_t rows, std::span<float> gradient) {
  const LayerState& state = network_.layers[layer];
  checkGradientRows(network_, layer, firstRow, rows, gradient);
  gradientRows(kernels_, pool_, gradientSides(layer), state.inputs, {firstRow, firstRow + rows}, gradient);
}

std::vector<Outcome> CpuDevice::finished(bool) {
  return std::exchange(outcomes_, {});
}

std::optional<Outcome> CpuDevice::evaluateUnless(const std::function<bool()>& stops, const Samples& samples) {
  Outcome outcome;
  const int64_t stride = panelPlan_.inferenceStride(samples.count);
  const auto infer = [&](const Pass& pass, Range places) {
    const Consecutive own(places);
    forward(pass, {samples, own.indices.data(), places.size()});
    lossOf(pass).compute(kernels_, layers_.back()->output(pass.panel),
                         {own.indices.data(), places.size(), samples}, stride,
                         pass.team.share(stride, kPanelUnit), 1.0f, nullptr);
  };
  const auto add = [&](int thread, int64_t first, int64_t underWay) {
    if (thread == 0) addOutcomes(outcome, samples.count, stride, first, underWay);
  };
  if (!overPanels(samples.count, stride, 0, infer, add, stops)) return std::nullopt;
  return outcome;
}

void CpuDevice::predict(const Samples& samples, std::span<float> outputs) {
  const int64_t width = network_.layers.back().outputs, stride = panelPlan_.inferenceStride(samples.count);
  if (samples.count == 1 && single_.has_value()) return predictOne(samples, outputs);
  const auto infer = [&](const Pass& pass, Range places) {
    forward(pass, {samples, Consecutive(places).indices.data(), places.size()});
    float* const top = layers_.back()->output(pass.panel);
    const Range own = pass.team.share(stride, kPanelUnit);
    lossOf(pass).toPrediction(kernels_, top, stride, own);
    for (int64_t i = own.begin; i < std::min(own.end, places.size()); ++i) {
      float* const row = outputs.data() + (places.begin + i) * width;
      for (int64_t k = 0; k < width; ++k) row[k] = top[k * stride + i];
    }
  };
  overPanels(samples.count, stride, 0, infer, [](auto...) {});
}

void CpuDevice::predictOne(const Samples& samples, std::span<float> outputs) {
  const float* const found = single_->run(kernels_, samples.values);
  float* const top = layers_.back()->output(0);
  const auto width = static_cast<int64_t>(outputs.size());
  for (int64_t k = 0; k < width; ++k) top[k * kPanelUnit] = found[k];
  losses_.front().toPrediction(kernels_, top, kPanelUnit, {0, kPanelUnit});
  for (int64_t k = 0; k < width; ++k) outputs[k] = top[k * kPanelUnit];
}

DeviceBytes CpuDevice::bytes() const {
  DeviceBytes bytes;
  bytes.workspace = input_.bytes();
  for (const LossGradient& loss : losses_) bytes.workspace += loss.bytes();
  if (single_.has_value()) bytes.workspace += single_->bytes();
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
