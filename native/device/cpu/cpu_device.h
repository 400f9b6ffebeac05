#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "device/cpu/cpu_layer.h"
#include "device/cpu/gradient_growth.h"
#include "device/cpu/loss_gradient.h"
#include "device/cpu/panel_plan.h"
#include "device/cpu/single_sample.h"
#include "device/device.h"

namespace espalier::cpu {

/// Trains on the processor, on the host's own state. A batch is cut into panels; each panel goes through all
/// layers, forward and backward, before the next. Threads divide the rows of every layer, or, where the
/// network has few weights for its activations, they take a panel each and add up their gradients:
/// activations that one thread writes and another reads cost more than the products then. Where a batch is
/// cut does not depend on the threads, so no result does.
class CpuDevice final : public Device {
 public:
  CpuDevice(NetworkState& network, const DeviceSettings& settings);

  /// Is done when it returns.
  void step(const Samples& samples, const Batch& batch, const StepSettings& settings) override;
  std::vector<Outcome> finished(bool all) override;
  std::vector<LayerMoves> rewire(const RewirePlan& plan) override;
  void readGradient(size_t layer, int64_t firstRow, int64_t rows, std::span<float> gradient) override;
  std::optional<Outcome> evaluateUnless(const std::function<bool()>& stops, const Samples& samples) override;
  void predict(const Samples& samples, std::span<float> outputs) override;
  void synchronize() override {}
  DeviceBytes bytes() const override;
  std::vector<ProductPlan> plan() const override { return {}; }

 private:
  struct PanelWork;
  struct LayerRewiring;

  void buildLayers(int64_t panels, int64_t gradientSums);
  /// Lets the layers prepare for the panels to come; step as in overPanels(). A thread's part.
  void prepare(int thread, int64_t step);
  /// Takes `count` samples through the network in panels of `stride`. step: number of the training step, or 0
  /// where nothing is learnt. Every thread calls work(pass, place of the first sample, samples) on the panels
  /// that it takes part in: on all of them, or, side by side, on its own. When all are done with up to as
  /// many panels as go side by side, each calls settle(thread, first panel, panels). False where stops(),
  /// asked before the next ones, ended it.
  template <typename Work, typename Settle>
  bool overPanels(int64_t count, int64_t stride, int64_t step, const Work& work, const Settle& settle,
                  const std::function<bool()>& stops = nullptr);
  /// A team's part: fetches the samples of a panel and takes them through the layers.
  void forward(const Pass& pass, const PanelWork& work);
  void backward(const Pass& pass);
  /// Zeroes the rows that only fill up blocks, a member its own: they lie elsewhere with every stride.
  void clearPadding(const Pass& pass);
  LossGradient& lossOf(const Pass& pass) { return losses_[static_cast<size_t>(pass.place.sum)]; }
  /// Adds the outcomes of the panels under way, in the order of their samples.
  void addOutcomes(Outcome& outcome, int64_t count, int64_t stride, int64_t first, int64_t underWay) const;
  /// The samples of a panel, as a member reads them.
  float* input(int64_t panel, int member);
  const float* layerInput(size_t layer, int64_t panel, int member);
  /// Of the last step, whose batch must have been kept.
  GradientSides gradientSides(size_t layer);

  void predictOne(const Samples& samples, std::span<float> outputs);

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
  const int64_t batchSize_;
  /// Whether sparse layers gather from copies in bfloat16.
  const bool narrow_;
  const PanelPlan panelPlan_;
  /// Whether the activations of a whole batch are kept, as growing by gradient needs them.
  const bool keepsBatch_;
  UpdateTable updates_;
  Panels input_;
  std::vector<std::unique_ptr<CpuLayer>> layers_;
  /// Whether any of them prepares for panels.
  bool prepares_ = false;
  /// One for each panel that is under way.
  std::vector<LossGradient> losses_;
  /// For a single sample, where the network allows it.
  std::optional<SingleSample> single_;
  int64_t panelsOfLastStep_ = 0;
  /// The samples of the batch under way.
  std::vector<int64_t> indices_;
  std::vector<Outcome> outcomes_;
};

}  // namespace espalier::cpu
