#pragma once

#include <memory>
#include <vector>

#include "device/cpu/cpu_layer.h"

namespace espalier::cpu {

/// What sparse and dense layers share: bias, activation, and the order of a pass. The products are the
/// subclass's.
class LinearLayer : public CpuLayer {
 public:
  explicit LinearLayer(const LayerSetting& setting);

  void forward(const Pass& pass, const float* input) override;
  void finishGradientRows(const Pass& pass, Range rows, Range samples) override;
  void backward(const Pass& pass, const float* input, CpuLayer* below) override;

  int64_t workspaceBytes() const override;
  int64_t gradientBytes() const override;

 protected:
  /// Outputs of a thread, as a range in the subclass's own units (block rows or rows).
  virtual Range forwardShare(const Pass& pass) const = 0;
  virtual int64_t rowsPerUnit() const = 0;
  virtual void multiply(const Pass& pass, const float* input, float* output, Range units) const = 0;
  /// Writes the gradient of the input, and finishes its rows in `below`.
  virtual void multiplyTransposed(const Pass& pass, const float* outputGradient, CpuLayer& below) const = 0;
  /// Computes and settles the gradient of this thread's weights.
  virtual void settleWeights(const Pass& pass, const float* input) = 0;

  LayerState& state_;
  GradientSum weightSum_;
  /// One per thread.
  std::vector<AlignedBuffer<float>> scratch_;

 private:
  bool keepsPreactivation() const { return !preactivation_.empty(); }
  /// What activateBackward wants: the activation's output or its input.
  const float* derivativeSource(int64_t panel);
  void settleSrelu(const Pass& pass);
  void settleBias(const Pass& pass);
  Range ownRows(const Pass& pass) const {
    return evenShare(state_.outputs, pass.thread, pass.pool.threads());
  }

  ActivationArguments activation_;
  Panels preactivation_;
  AlignedBuffer<float> smallGradient_;
  GradientSum biasSum_;
  GradientSum sreluSum_;
};

std::unique_ptr<CpuLayer> makeSparseLayer(const LayerSetting& setting);
std::unique_ptr<CpuLayer> makeDenseLayer(const LayerSetting& setting);
std::unique_ptr<CpuLayer> makeDropoutLayer(const LayerSetting& setting);
std::unique_ptr<CpuLayer> makeLayerNormLayer(const LayerSetting& setting);

}  // namespace espalier::cpu
