#include "device/cuda/cuda_device.h"

#include <algorithm>
#include <utility>

#include "device/cuda/kernels/samples.h"

namespace espalier::cuda {
namespace {

/// Samples of a batch where nothing trains.
constexpr int64_t kForwardBatch = 512;

int32_t strideFor(int64_t batchSize) {
  require(batchSize <= kLargestBatch, ErrorCode::Option,
          "batchSize is " + std::to_string(batchSize) + "; on the GPU, 1 to " +
              std::to_string(kLargestBatch) + " are allowed");
  return static_cast<int32_t>(roundUp(batchSize, kSampleUnit));
}

}  // namespace

CudaDevice::CudaDevice(NetworkState& network, const DeviceSettings& settings)
    : network_(network),
      training_(settings.batchSize > 0),
      stride_(strideFor(training_ ? settings.batchSize : kForwardBatch)),
      workspace_(context_.memory),
      blas_(context_),
      sparse_(context_),
      samples_(context_, stride_, network.layers.back().outputs),
      outcomes_(context_),
      evaluations_(context_),
      step_(context_.memory, 1),
      losses_(context_.memory, stride_),
      rights_(context_.memory, stride_) {
  buildLayers(settings);
  fitWorkspace();
}

CudaDevice::~CudaDevice() {
  // The card may still write outcomes into the host's memory.
  (void)cudaStreamSynchronize(context_.stream.get());
}

void CudaDevice::buildLayers(const DeviceSettings& settings) {
  if (training_) {
    require(network_.optimizer.has_value(), ErrorCode::Internal, "training needs an optimizer");
    updates_ = UpdateTables(context_, *network_.optimizer);
  }
  const ProductSetting products{context_, workspace_,         blas_,
                                sparse_,  settings.precision, settings.denseFallback};
  input_ = FeatureBuffer(context_, paddedFeatures(network_, 0), stride_, settings.precision);
  Features input = input_.out();
  float* inputGradient = nullptr;
  int64_t hidden = 0;
  for (size_t i = 0; i < network_.layers.size(); ++i) {
    const LayerDescription& description = network_.description.layers[i];
    if (description.kind == LayerKind::Sparse || description.kind == LayerKind::Dense) ++hidden;
    const LayerSetting setting{description,
                               network_.layers[i],
                               static_cast<int64_t>(i),
                               network_.description.seed,
                               paddedFeatures(network_, i + 1),
                               stride_,
                               training_,
                               hidden,
                               products,
                               updates_.rule(),
                               step_.data(),
                               input,
                               inputGradient};
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
    input = layers_.back()->output();
    inputGradient = layers_.back()->outputGradient().values;
  }
}

void CudaDevice::fitWorkspace() {
  int64_t bytes = 0;
  for (const auto& layer : layers_) bytes = std::max(bytes, layer->workspaceBytes());
  workspace_.clear();
  workspace_.require(bytes);
}

void CudaDevice::queueGather() {
  gatherBatch(context_, step_.data(), static_cast<int32_t>(network_.description.inputs), input_.out(),
              stride_);
}

void CudaDevice::queueForward() {
  for (const auto& layer : layers_) layer->forward();
}

void CudaDevice::queueLoss(FeaturesOut gradient, OutcomeRing& outcomes) {
  lossAndGradient(context_, network_.description.loss, layers_.back()->output().values, gradient,
                  static_cast<int32_t>(network_.layers.back().outputs), stride_, step_.data(), losses_.data(),
                  rights_.data(), outcomes.slots(), outcomes.size());
}

void CudaDevice::queueStep() {
  queueGather();
  queueForward();
  queueLoss(layers_.back()->outputGradient(), outcomes_);
  for (size_t i = layers_.size(); i-- > 0;) layers_[i]->backward();
}

void CudaDevice::choose() {
  queueGather();
  for (const auto& layer : layers_) layer->choose(plans_);
  fitWorkspace();
  chosen_ = true;
}

void CudaDevice::step(const Samples& samples, const Batch& batch, const StepSettings& settings) {
  require(training_, ErrorCode::Internal, "a device that was not made for training");
  StepParameters parameters = trainingStep(settings);
  samples_.locate(samples, batch, parameters);
  setStep(context_, parameters, step_.data());
  if (!chosen_) choose();
  if (!std::exchange(stepped_, true)) {
    // The first step runs without a graph: kernels are loaded by their first launch, which a capture is no
    // place for.
    queueStep();
  } else {
    if (!graph_) graph_.emplace(context_.stream, [&] { queueStep(); });
    graph_->launch(context_.stream);
  }
  samples_.release();
  outcomes_.queued(settings.step);
}

std::vector<LayerMoves> CudaDevice::rewire(const RewirePlan& plan) {
  require(stepped_, ErrorCode::Internal, "a rewiring needs a step first");
  std::vector<LayerMoves> moves;
  for (const auto& layer : layers_) {
    const bool survives = layer->rewire(plan, network_.progress.updates, moves);
    if (!survives) graph_.reset();
  }
  return moves;
}

void CudaDevice::readGradient(size_t layer, int64_t firstRow, int64_t rows, std::span<float> gradient) {
  require(stepped_, ErrorCode::Internal, "the gradient of a layer needs a step first");
  checkGradientRows(network_, layer, firstRow, rows, gradient);
  if (rows == 0) return;
  const GradientSides sides = layers_[layer]->gradientSides();
  DeviceBuffer<float> buffer(context_.memory, static_cast<int64_t>(gradient.size()));
  blas_.gradient({sides.outputGradient + firstRow * sides.stride, nullptr}, {sides.input, nullptr}, rows,
                 network_.layers[layer].inputs, sides.stride, buffer.data(), Precision::Float32);
  buffer.download(gradient);
}

template <typename Use>
bool CudaDevice::overAllSamples(const Samples& samples, const Use& use, const std::function<bool()>& stops) {
  int64_t first = 0;
  for (; first < samples.count && (first == 0 || stops == nullptr || !stops()); first += stride_) {
    const Batch batch{first, std::min<int64_t>(stride_, samples.count - first), nullptr};
    StepParameters parameters;
    parameters.step = ++evaluated_;
    samples_.locate(samples, batch, parameters);
    setStep(context_, parameters, step_.data());
    // A device that was made anew in the midst of training may be asked before it takes a step.
    if (training_ && !chosen_) choose();
    queueGather();
    queueForward();
    use(batch);
    samples_.release();
  }
  // A run holds its sets until its end; other calls hold theirs no longer than they last.
  if (!training_) samples_.forget();
  return first >= samples.count;
}

std::optional<Outcome> CudaDevice::evaluateUnless(const std::function<bool()>& stops,
                                                  const Samples& samples) {
  Outcome outcome;
  const auto add = [&](bool all) {
    for (const Outcome& part : evaluations_.take(all)) {
      outcome.lossSum += part.lossSum;
      outcome.correct += part.correct;
    }
  };
  const bool all = overAllSamples(
      samples,
      [&](const Batch&) {
        queueLoss({}, evaluations_);
        evaluations_.queued(evaluated_);
        add(false);
      },
      stops);
  add(true);
  return all ? std::optional(outcome) : std::nullopt;
}

void CudaDevice::predict(const Samples& samples, std::span<float> outputs) {
  const int64_t width = network_.layers.back().outputs;
  require(static_cast<int64_t>(outputs.size()) == checkedProduct(samples.count, width), ErrorCode::Data,
          "predictions need " + std::to_string(samples.count) + " x " + std::to_string(width) + " numbers");
  DeviceBuffer<float> predictions(context_.memory, checkedProduct(stride_, width));
  overAllSamples(samples, [&](const Batch& batch) {
    predictionsOf(context_, network_.description.loss, layers_.back()->output().values,
                  static_cast<int32_t>(width), stride_, static_cast<int32_t>(batch.count),
                  predictions.data());
    predictions.download(
        outputs.subspan(static_cast<size_t>(batch.first * width), static_cast<size_t>(batch.count * width)));
  });
}

void CudaDevice::synchronize() {
  // All or nothing: a card that is lost half-way must not leave a network of two ages.
  std::vector<LayerState> states(layers_.size());
  for (size_t i = 0; i < layers_.size(); ++i) layers_[i]->download(states[i]);
  for (size_t i = 0; i < layers_.size(); ++i) {
    LayerState& from = states[i];
    LayerState& to = network_.layers[i];
    if (from.pattern.entries() > 0) to.pattern = std::move(from.pattern);
    to.weight = std::move(from.weight);
    to.bias = std::move(from.bias);
    to.gain = std::move(from.gain);
    to.shift = std::move(from.shift);
    to.srelu = std::move(from.srelu);
    layers_[i]->downloaded();
  }
}

DeviceBytes CudaDevice::bytes() const {
  DeviceBytes bytes;
  bytes.workspace = context_.memory.used();
  return bytes;
}

std::unique_ptr<Device> makeCudaDevice(NetworkState& network, const DeviceSettings& settings) {
  return std::make_unique<CudaDevice>(network, settings);
}

}  // namespace espalier::cuda
