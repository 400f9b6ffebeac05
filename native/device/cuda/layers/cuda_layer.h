#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/features.h"
#include "device/cuda/kernels/step_parameters.h"
#include "device/cuda/kernels/update.h"
#include "device/cuda/products/product.h"
#include "device/cuda/rewire/rewire_layer.h"
#include "device/device.h"
#include "model/state.h"

namespace espalier::cuda {

/// Features on the card, cleared, with the rounded copy where products run in bfloat16.
class FeatureBuffer {
 public:
  FeatureBuffer() = default;
  FeatureBuffer(Context& context, int64_t features, int64_t stride, Precision precision);
  FeaturesOut out() { return {values_.data(), rounded_.data()}; }
  bool empty() const { return values_.empty(); }

 private:
  DeviceBuffer<float> values_;
  DeviceBuffer<__nv_bfloat16> rounded_;
};

/// What every layer is made from.
struct LayerSetting {
  const LayerDescription& description;
  LayerState& state;
  int64_t index = 0;
  /// Of the network; keys dropout and DropConnect.
  uint64_t seed = 0;
  /// Features of the output, rounded up to whole blocks of this layer and the next.
  int64_t paddedOutputs = 0;
  int32_t stride = 0;
  bool training = false;
  /// All-ReLU: which hidden layer this is, counted from 1.
  int64_t hiddenNumber = 1;
  ProductSetting products;
  /// How weights move; those of a network that does not train are never looked at.
  UpdateRule rule;
  /// In the card's memory.
  const StepParameters* step = nullptr;
  /// The output of the layer below, or the batch.
  Features input;
  /// Where the gradient of the input goes; null for the lowest layer.
  float* inputGradient = nullptr;
};

/// A layer of the network on the card. Everything that it does is queued on the context's stream, in buffers
/// that stay where they are, so that it can be captured in a graph.
class CudaLayer {
 public:
  explicit CudaLayer(const LayerSetting& setting);
  virtual ~CudaLayer() = default;

  /// Queues output() from the input.
  virtual void forward() = 0;
  /// From outputGradient(): queues the gradient of the input, and the parameters' own steps.
  virtual void backward() = 0;

  /// Times the ways to carry out each product; in the order of the forward pass, on the first batch, before
  /// any gradient was computed. Runs forward().
  virtual void choose(std::vector<ProductPlan>&) { forward(); }

  /// Moves connections by the plan; nothing where there are none. Returns whether captured graphs still hold.
  virtual bool rewire(const RewirePlan&, int64_t updates, std::vector<LayerMoves>& moves);

  /// Copies what training changes into `state`, which begins empty; the pattern only where it has moved since
  /// the last call of downloaded().
  virtual void download(LayerState&) const {}
  /// After every layer's download() has succeeded.
  virtual void downloaded() {}

  /// What it needs of the shared workspace.
  virtual int64_t workspaceBytes() const { return 0; }

  /// Of the last batch; what has weights.
  GradientSides gradientSides() {
    return {outputGradient_.out().values, setting_.input.values, setting_.stride};
  }

  Features output() { return output_.out(); }
  FeaturesOut outputGradient() { return outputGradient_.out(); }

 protected:
  /// Optimizer arrays and values of a parameter.
  static DeviceParameter upload(Context& context, const Parameter& parameter);
  static Parameter download(const DeviceParameter& parameter);
  static UpdateTarget targetOf(DeviceParameter& parameter);

  Context& context() const { return setting_.products.context; }

  const LayerSetting setting_;
  FeatureBuffer output_;
  FeatureBuffer outputGradient_;
};

inline bool CudaLayer::rewire(const RewirePlan&, int64_t, std::vector<LayerMoves>&) {
  return true;
}

std::unique_ptr<CudaLayer> makeSparseLayer(const LayerSetting& setting);
std::unique_ptr<CudaLayer> makeDenseLayer(const LayerSetting& setting);
std::unique_ptr<CudaLayer> makeDropoutLayer(const LayerSetting& setting);
std::unique_ptr<CudaLayer> makeLayerNormLayer(const LayerSetting& setting);

}  // namespace espalier::cuda
