#pragma once

#include <memory>
#include <vector>

#include "device/cpu/cpu_layer.h"
#include "device/cpu/loss_gradient.h"
#include "device/device.h"

namespace espalier::cpu {

/// Trains on the processor, on the host's own state. A batch is cut into panels; each panel goes through all
/// layers, forward and backward, before the next, with every thread working on it.
class CpuDevice final : public Device {
 public:
  CpuDevice(NetworkState& network, const DeviceSettings& settings);

  /// Is done when it returns.
  void step(const Samples& samples, const Batch& batch, const StepSettings& settings) override;
  std::vector<Outcome> finished(bool all) override;
  std::vector<LayerMoves> rewire(const RewirePlan& plan) override;
  Outcome evaluate(const Samples& samples) override;
  void predict(const Samples& samples, std::span<float> outputs) override;
  void synchronize() override {}
  DeviceBytes bytes() const override;
  std::vector<ProductPlan> plan() const override { return {}; }

 private:
  struct PanelWork;
  struct LayerRewiring;

  void buildLayers();
  /// One thread's part: fetches the samples of a panel and takes them through the layers.
  void forward(const Pass& pass, const PanelWork& work);
  void backward(const Pass& pass);
  const float* layerInput(size_t layer, int64_t panel);
  Pass passOf(int thread, int64_t panel) const;
  /// Calls use(panel work) for consecutive panels of all samples.
  template <typename Use>
  void overAllSamples(const Samples& samples, const Use& use);

  /// Calls work on every layer's rewiring, layers side by side.
  template <typename Work>
  void overLayers(std::vector<LayerRewiring>& rewirings, const Work& work);
  void drop(const RewirePlan& plan, LayerRewiring& rewiring) const;
  void growAtRandom(const RewirePlan& plan, LayerRewiring& rewiring) const;
  void growByGradient(LayerRewiring& rewiring);
  void move(const RewirePlan& plan, LayerRewiring& rewiring);

  NetworkState& network_;
  const Kernels& kernels_;
  mutable ThreadPool pool_;
  const bool training_;
  /// Samples of a panel.
  const int64_t stride_;
  /// Panels whose activations are kept: all of a batch where connections grow by gradient, else one.
  const int64_t panels_;
  const bool severalPanels_;
  UpdateTable updates_;
  Panels input_;
  std::vector<std::unique_ptr<CpuLayer>> layers_;
  LossGradient loss_;
  int64_t panelsOfLastStep_ = 0;
  /// The samples of the batch under way.
  std::vector<int64_t> indices_;
  std::vector<Outcome> outcomes_;
};

}  // namespace espalier::cpu
