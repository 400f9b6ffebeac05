#include "training.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "training_data.h"

namespace espalier::bench {
namespace {

class Training final : public Workload {
 public:
  Training(std::unique_ptr<TrainedNetwork> network, const NetworkShape& shape, int64_t samples, int64_t steps)
      : network_(std::move(network)),
        batch_(shape.batch),
        steps_(steps),
        data_(samples, shape.sizes.front(), shape.sizes.back()) {}

  void run() override {
    for (int64_t step = 0; step < steps_; ++step) network_->step(data_.samples(), data_.nextBatch(batch_));
    const Outcome outcome = network_->finish();
    // Arithmetic on what is not a number takes another time.
    require(std::isfinite(outcome.lossSum), ErrorCode::Diverged, "the loss is no longer a finite number");
  }

 private:
  const std::unique_ptr<TrainedNetwork> network_;
  const int64_t batch_;
  const int64_t steps_;
  TrainingData data_;
};

}  // namespace

std::unique_ptr<Workload> trainingStep(std::unique_ptr<TrainedNetwork> network, const NetworkShape& shape) {
  // More than a batch, so that steps do not find their samples in the cache; fewer where samples are wide.
  constexpr int64_t kSamples = 8192, kNumbers = int64_t{1} << 25;
  const int64_t samples = std::min(kSamples, kNumbers / shape.sizes.front());
  const int64_t batches = std::max<int64_t>(1, samples / shape.batch);
  return std::make_unique<Training>(std::move(network), shape, batches * shape.batch, 1);
}

std::unique_ptr<Workload> trainingEpoch(std::unique_ptr<TrainedNetwork> network, const NetworkShape& shape,
                                        int64_t samples) {
  return std::make_unique<Training>(std::move(network), shape, samples, divideUp(samples, shape.batch));
}

}  // namespace espalier::bench
