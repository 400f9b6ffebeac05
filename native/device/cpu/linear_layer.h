#pragma once

#include <memory>
#include <vector>

#include "device/cpu/cpu_layer.h"
#include "device/cpu/drop_connect.h"

namespace espalier::cpu {

/// The activation of a sparse or dense layer as the kernels take it; hiddenNumber as in LayerSetting.
ActivationArguments activationOf(const LayerDescription& description, const LayerState& state,
                                 int64_t hiddenNumber);

/// What sparse and dense layers share: bias, activation, and the order of a pass. The products are the
/// subclass's.
class LinearLayer : public CpuLayer {
 public:
  /// keepsGradient: whether the gradient of all weights is kept even where a batch is one panel.
  explicit LinearLayer(const LayerSetting& setting, bool keepsGradient = false);

  bool prepares() const override { return dropConnect_.drops(); }
  void prepare(const Pass& pass) override;
  void forward(const Pass& pass, const float* input) override;
  void finishGradientRows(const Pass& pass, Range rows, Range samples) override;
  void backward(const Pass& pass, const float* input, CpuLayer* below) override;
  void combine(const Pass& pass, int64_t panels) override;

  int64_t workspaceBytes() const override;
  int64_t gradientBytes() const override;

 protected:
  /// Writes this thread's rows of the sums of weights and inputs, and calls finishRows on them, some at a
  /// time, while they are in the cache.
  virtual void multiply(const Pass& pass, const float* input, float* sums) = 0;
  /// Adds the bias to sums and activates them.
  void finishRows(const Pass& pass, Range rows, Range samples);
  /// Prepares outputGradient(panel), now complete, for the two products that follow.
  virtual void beginBackward(const Pass&) {}
  /// Writes the gradient of the input, and finishes its rows in `below`.
  virtual void multiplyTransposed(const Pass& pass, const float* input, CpuLayer& below) = 0;
  /// Computes, where multiplyTransposed has not done so, and settles the gradient of this thread's weights.
  virtual void settleWeights(const Pass& pass, const float* input) = 0;

  /// What this pass multiplies: the weights, or what DropConnect leaves of them.
  const float* weights(const Pass& pass) const {
    return pass.training && dropConnect_.drops() ? dropConnect_.left() : state_.weight.values.data();
  }

  LayerState& state_;
  DropConnect dropConnect_;
  GradientSum weightSum_;
  /// One per thread.
  std::vector<AlignedBuffer<float>> scratch_;

 private:
  bool keepsPreactivation() const { return !preactivation_.empty(); }
  /// What activateBackward wants too: the activation's input, or its output in the same place.
  float* sums(int64_t panel);
  void settleSrelu(const Pass& pass);
  void settleBias(const Pass& pass);
  float* biasGradient(const Pass& pass) { return biasGradients_[static_cast<size_t>(pass.place.sum)].data(); }
  Range ownRows(const Pass& pass) const { return pass.team.share(state_.outputs); }

  ActivationArguments activation_;
  Panels preactivation_;
  /// Gradients of bias and SReLU of each panel under way.
  std::vector<AlignedBuffer<float>> biasGradients_;
  std::vector<AlignedBuffer<float>> sreluGradients_;
  /// Whether the bias's gradient is summed by whoever finishes the rows of outputGradient, from the first
  /// cache.
  const bool sumsFinishedRows_;
  GradientSum biasSum_;
  GradientSum sreluSum_;
};

std::unique_ptr<CpuLayer> makeSparseLayer(const LayerSetting& setting);
std::unique_ptr<CpuLayer> makeMaskedLayer(const LayerSetting& setting);
std::unique_ptr<CpuLayer> makeDenseLayer(const LayerSetting& setting);
std::unique_ptr<CpuLayer> makeDropoutLayer(const LayerSetting& setting);
std::unique_ptr<CpuLayer> makeLayerNormLayer(const LayerSetting& setting);

}  // namespace espalier::cpu
