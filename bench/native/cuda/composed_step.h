#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/cuda/base/workspace.h"
#include "device/cuda/kernels/update_tables.h"
#include "device/cuda/layers/cuda_layer.h"
#include "device/cuda/outcome_ring.h"
#include "device/cuda/sample_source.h"
#include "networks.h"

namespace espalier::cuda::bench {

/// One part of a training step.
struct Deed {
  std::string name;
  std::function<void()> queue;
};

/// A training step put together from the device's own parts, so that each of them can be timed by itself, and
/// so that the masked way has everything but its products and updates in common with the device. Captured in
/// a graph like the device's step.
class ComposedStep {
 public:
  /// Sparse layers as the device has them, or as dense ones with a mask. Blocks must divide the layers.
  enum class Way { Device, Masked };
  /// How cuBLAS is used: with all the workspace that it can use, see widenWorkspace(), and with float32
  /// products that are pedantic.
  struct Library {
    bool wide = false;
    bool pedantic = true;
  };
  /// The network must outlive it, and stays as it is.
  ComposedStep(NetworkState& network, int32_t batch, Precision precision, Way way, Library library);
  ~ComposedStep();

  void step(const Samples& samples, const Batch& batch, const StepSettings& settings);
  std::vector<Outcome> finished() { return outcomes_.take(true); }

  /// After the first step.
  const std::vector<Deed>& deeds() const { return deeds_; }
  Context& context() { return context_; }
  int64_t peakBytes() const { return context_.memory.peak(); }

 private:
  void addLayers(const NetworkState& sparse, Precision precision);
  void addDeeds();
  void fitWorkspace();
  void queueAll();

  Context context_;
  /// Of the masked way.
  NetworkState dense_;
  /// What the layers are made from.
  NetworkState& network_;
  const Way way_;
  const int32_t stride_;
  Workspace workspace_;
  Blas blas_;
  DeviceBuffer<unsigned char> wideWorkspace_;
  SparseLibrary sparse_;
  SampleSource samples_;
  OutcomeRing outcomes_;
  DeviceBuffer<StepParameters> step_;
  UpdateTables updates_;
  DeviceBuffer<double> losses_;
  DeviceBuffer<int32_t> rights_;
  FeatureBuffer input_;
  std::vector<std::unique_ptr<CudaLayer>> layers_;
  std::vector<Deed> deeds_;
  std::optional<Graph> graph_;
  bool chosen_ = false;
};

}  // namespace espalier::cuda::bench
