#include <utility>

#include "sparse_state.h"
#include "trained_network.h"

namespace espalier::bench {
namespace {

class SparseNetwork final : public TrainedNetwork {
 public:
  SparseNetwork(const NetworkShape& shape, const SparseShape& sparse, Precision precision)
      : network_(sparseState(shape, sparse, true)) {
    DeviceSettings settings;
    settings.threads = shape.threads;
    settings.batchSize = shape.batch;
    settings.precision = precision;
    device_ = makeCpuDevice(network_, settings);
  }

  void step(const Samples& samples, const Batch& batch) override {
    StepSettings settings;
    settings.learningRate = kLearningRate;
    device_->step(samples, batch, settings);
    collect(false);
  }

  Outcome finish() override {
    collect(true);
    return std::exchange(outcome_, {});
  }

 private:
  void collect(bool all) {
    for (const Outcome& each : device_->finished(all)) {
      outcome_.lossSum += each.lossSum;
      outcome_.correct += each.correct;
    }
  }

  NetworkState network_;
  std::unique_ptr<Device> device_;
  Outcome outcome_;
};

}  // namespace

std::unique_ptr<TrainedNetwork> sparseNetwork(const NetworkShape& shape, const SparseShape& sparse,
                                              Precision precision) {
  return std::make_unique<SparseNetwork>(shape, sparse, precision);
}

}  // namespace espalier::bench
