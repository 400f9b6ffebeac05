#include "rewiring.h"

#include "numbers.h"
#include "sparse_state.h"
#include "trained_network.h"
#include "training_data.h"

namespace espalier::bench {
namespace {

class Rewiring final : public Workload {
 public:
  Rewiring(const NetworkShape& shape, const SparseShape& sparse, RewiringRule rule)
      : network_(sparseState(shape, sparse, true)), noise_(randomNumbers(kNoise, 5, 0.01f)) {
    const bool rigl = rule == RewiringRule::Rigl;
    plan_.drop = rigl ? DropRule::Magnitude : DropRule::BySign;
    plan_.grow = rigl ? GrowRule::Gradient : GrowRule::Random;
    plan_.fraction = 0.3;
    plan_.returnedKeepState = rigl;
    plan_.initialization.kind = InitializationKind::Zeros;

    DeviceSettings settings;
    settings.threads = shape.threads;
    settings.batchSize = shape.batch;
    settings.growsByGradient = rigl;
    device_ = makeCpuDevice(network_, settings);
    if (!rigl) return;
    TrainingData data(shape.batch, shape.sizes.front(), shape.sizes.back());
    StepSettings step;
    step.moveWeights = false;
    device_->step(data.samples(), data.nextBatch(shape.batch), step);
    device_->finished(true);
  }

  void run() override {
    moveNewWeights();
    ++plan_.seed;
    device_->rewire(plan_);
  }

 private:
  /// Stands for the training since the last rewiring, in far less time than a rewiring takes: connections
  /// that begin at zero have moved on, or the next rewiring would drop just these.
  void moveNewWeights() {
    for (LayerState& layer : network_.layers) {
      AlignedBuffer<float>& weights = layer.weight.values;
      if (layer.pattern.entries() == 0) continue;
      for (int64_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0) weights[i] = noise_[i % kNoise];
      }
    }
  }

  static constexpr int64_t kNoise = 4096;

  NetworkState network_;
  const AlignedBuffer<float> noise_;
  RewirePlan plan_;
  std::unique_ptr<Device> device_;
};

}  // namespace

std::unique_ptr<Workload> rewiring(const NetworkShape& shape, const SparseShape& sparse, RewiringRule rule) {
  return std::make_unique<Rewiring>(shape, sparse, rule);
}

}  // namespace espalier::bench
