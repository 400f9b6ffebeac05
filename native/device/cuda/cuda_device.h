#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "device/cuda/base/context.h"
#include "device/cuda/base/workspace.h"
#include "device/cuda/kernels/update_tables.h"
#include "device/cuda/layers/cuda_layer.h"
#include "device/cuda/libraries/blas.h"
#include "device/cuda/libraries/cusparse_products.h"
#include "device/cuda/outcome_ring.h"
#include "device/cuda/sample_source.h"
#include "device/device.h"

namespace espalier::cuda {

/// Trains on an NVIDIA GPU. The network's state lives on the card; a step is one captured graph, and nothing
/// waits for it but outcomes that are asked for.
class CudaDevice final : public Device {
 public:
  CudaDevice(NetworkState& network, const DeviceSettings& settings);
  ~CudaDevice() override;

  void step(const Samples& samples, const Batch& batch, const StepSettings& settings) override;
  std::vector<Outcome> finished(bool all) override { return outcomes_.take(all); }
  std::vector<LayerMoves> rewire(const RewirePlan& plan) override;
  void readGradient(size_t layer, int64_t firstRow, int64_t rows, std::span<float> gradient) override;
  std::optional<Outcome> evaluateUnless(const std::function<bool()>& stops, const Samples& samples) override;
  void predict(const Samples& samples, std::span<float> outputs) override;
  void synchronize() override;
  DeviceBytes bytes() const override;
  std::vector<ProductPlan> plan() const override { return plans_; }

  /// The most that was in use at once on the card, samples that stay there included.
  int64_t peakBytes() const { return context_.memory.peak(); }

 private:
  void buildLayers(const DeviceSettings& settings);
  void fitWorkspace();

  void queueGather();
  void queueForward();
  void queueLoss(FeaturesOut gradient, OutcomeRing& outcomes);
  void queueStep();
  /// Times the ways to carry out the layers' products on the batch of the first step.
  void choose();
  /// Calls use(batch) for consecutive batches of all samples, after queueing their forward pass. False where
  /// stops(), asked before the next one, ended it.
  template <typename Use>
  bool overAllSamples(const Samples& samples, const Use& use, const std::function<bool()>& stops = nullptr);

  Context context_;
  NetworkState& network_;
  const bool training_;
  /// Samples of the largest batch, padded.
  const int32_t stride_;
  Workspace workspace_;
  Blas blas_;
  SparseLibrary sparse_;
  SampleSource samples_;
  OutcomeRing outcomes_;
  OutcomeRing evaluations_;
  int64_t evaluated_ = 0;
  DeviceBuffer<StepParameters> step_;
  UpdateTables updates_;
  DeviceBuffer<double> losses_;
  DeviceBuffer<int32_t> rights_;
  FeatureBuffer input_;
  std::vector<std::unique_ptr<CudaLayer>> layers_;
  std::vector<ProductPlan> plans_;
  std::optional<Graph> graph_;
  bool chosen_ = false;
  bool stepped_ = false;
};

/// Throws Error(Device) where there is no usable GPU, Error(Memory) where the network does not fit.
std::unique_ptr<Device> makeCudaDevice(NetworkState& network, const DeviceSettings& settings);

}  // namespace espalier::cuda
