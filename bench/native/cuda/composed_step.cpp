#include "composed_step.h"

#include <algorithm>

#include "device/cuda/kernels/samples.h"
#include "masked_layer.h"
#include "wide_workspace.h"

namespace espalier::cuda::bench {

ComposedStep::ComposedStep(NetworkState& network, int32_t batch, Precision precision, Way way,
                           Library library)
    : dense_(way == Way::Masked ? densified(network) : NetworkState{}),
      network_(way == Way::Masked ? dense_ : network),
      way_(way),
      stride_(static_cast<int32_t>(roundUp(batch, kSampleUnit))),
      workspace_(context_.memory),
      blas_(context_),
      wideWorkspace_(library.wide ? widenWorkspace(context_, blas_) : DeviceBuffer<unsigned char>()),
      sparse_(context_),
      samples_(context_, stride_, network.layers.back().outputs),
      outcomes_(context_),
      step_(context_.memory, 1),
      losses_(context_.memory, stride_),
      rights_(context_.memory, stride_) {
  blas_.setPedantic(library.pedantic);
  addLayers(network, precision);
  fitWorkspace();
  addDeeds();
}

ComposedStep::~ComposedStep() {
  // The card may still write outcomes into the host's memory.
  (void)cudaStreamSynchronize(context_.stream.get());
}

void ComposedStep::addLayers(const NetworkState& sparse, Precision precision) {
  updates_ = UpdateTables(context_, *network_.optimizer);
  const UpdateRule& rule = updates_.rule();
  const ProductSetting products{context_, workspace_, blas_, sparse_, precision, false};
  input_ = FeatureBuffer(context_, network_.description.inputs, stride_, precision);
  Features input = input_.out();
  float* inputGradient = nullptr;
  for (size_t i = 0; i < network_.layers.size(); ++i) {
    LayerState& state = network_.layers[i];
    const LayerDescription& description = network_.description.layers[i];
    const auto number = static_cast<int64_t>(i);
    const LayerSetting setting{description,   state,   number,       network_.description.seed,
                               state.outputs, stride_, true,         1 + number,
                               products,      rule,    step_.data(), input,
                               inputGradient};
    const Pattern& pattern = sparse.layers[i].pattern;
    if (pattern.entries() == 0) {
      layers_.push_back(makeDenseLayer(setting));
    } else if (way_ == Way::Masked) {
      layers_.push_back(makeMaskedLayer(setting, pattern));
    } else {
      layers_.push_back(makeSparseLayer(setting));
    }
    input = layers_.back()->output();
    inputGradient = layers_.back()->outputGradient().values;
  }
}

void ComposedStep::fitWorkspace() {
  int64_t bytes = 0;
  for (const auto& layer : layers_) bytes = std::max(bytes, layer->workspaceBytes());
  workspace_.clear();
  workspace_.require(bytes);
}

void ComposedStep::addDeeds() {
  deeds_.push_back({"gather the batch", [this] {
                      gatherBatch(context_, step_.data(), static_cast<int32_t>(network_.description.inputs),
                                  input_.out(), stride_);
                    }});
  for (size_t i = 0; i < layers_.size(); ++i) {
    deeds_.push_back({"layer " + std::to_string(i + 1) + " forward", [this, i] { layers_[i]->forward(); }});
  }
  deeds_.push_back({"loss", [this] {
                      lossAndGradient(context_, network_.description.loss, layers_.back()->output().values,
                                      layers_.back()->outputGradient(),
                                      static_cast<int32_t>(network_.layers.back().outputs), stride_,
                                      step_.data(), losses_.data(), rights_.data(), outcomes_.slots(),
                                      outcomes_.size());
                    }});
  for (size_t i = layers_.size(); i-- > 0;) {
    deeds_.push_back({"layer " + std::to_string(i + 1) + " backward", [this, i] { layers_[i]->backward(); }});
  }
}

void ComposedStep::queueAll() {
  for (const Deed& deed : deeds_) deed.queue();
}

void ComposedStep::step(const Samples& samples, const Batch& batch, const StepSettings& settings) {
  StepParameters parameters = trainingStep(settings);
  samples_.locate(samples, batch, parameters);
  setStep(context_, parameters, step_.data());
  if (!chosen_) {
    std::vector<ProductPlan> plans;
    deeds_.front().queue();
    for (const auto& layer : layers_) layer->choose(plans);
    fitWorkspace();
    chosen_ = true;
    queueAll();
  } else {
    if (!graph_) graph_.emplace(context_.stream, [&] { queueAll(); });
    graph_->launch(context_.stream);
  }
  samples_.release();
  outcomes_.queued(settings.step);
}

}  // namespace espalier::cuda::bench
