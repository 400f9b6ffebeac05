#include "steps.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <tuple>

#include "attempt.h"
#include "composed_step.h"
#include "device/cuda/cuda_device.h"
#include "kernel_times.h"
#include "networks.h"

namespace espalier::cuda::bench {
namespace {

/// Sparse variants are compared with each other by the loss of this step.
constexpr int64_t kLossStep = 5;

struct StepCell {
  NetworkShape shape;
  int32_t batch = 0;
  double sparsity = 0;
  int32_t block = 1;
  Precision precision = Precision::Float32;
  /// "sparse" and "dense" on the device; "masked" and "dense wide" composed, with all the workspace that
  /// cuBLAS can use; "masked default" and "dense default" besides with its default float32.
  const char* implementation = "sparse";

  std::string name() const {
    char text[128];
    std::snprintf(text, sizeof text, "%s, batch %d, sparsity %g, block %d, %s, %s", shape.name().c_str(),
                  batch, sparsity, block, nameOf(precision), implementation);
    return text;
  }
  Record record(const char* kind) const {
    Record record(kind);
    record.add("network", shape.name())
        .add("optimizer", shape.optimizerName())
        .add("batch", batch)
        .add("sparsity", sparsity)
        .add("block", block)
        .add("precision", nameOf(precision))
        .add("implementation", implementation);
    return record;
  }
};

std::string describe(const std::vector<ProductPlan>& plans) {
  std::string text;
  for (const ProductPlan& plan : plans) {
    text += (text.empty() ? "" : "; ") + std::to_string(plan.layer) + " " + plan.product + " " + plan.chosen;
  }
  return text;
}

int64_t freeBytes() {
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "ask for free memory");
  return static_cast<int64_t>(free);
}

/// The network of the last cell, which several cells share.
class States {
 public:
  NetworkState& get(const StepCell& cell) {
    const auto key = std::make_tuple(cell.shape.sizes, cell.shape.optimizer, cell.sparsity, cell.block);
    if (state_ == nullptr || key != key_) {
      state_.reset();
      state_ = std::make_unique<NetworkState>(makeState(cell.shape, cell.sparsity, cell.block));
      key_ = key;
    }
    return *state_;
  }

 private:
  std::unique_ptr<NetworkState> state_;
  std::tuple<std::vector<int64_t>, OptimizerKind, double, int32_t> key_;
};

double meanLoss(const std::vector<Outcome>& outcomes, int32_t batch) {
  require(!outcomes.empty(), ErrorCode::Internal, "steps without an outcome");
  return outcomes.back().lossSum / batch;
}

/// A network on the card that trains, whichever way.
class Training {
 public:
  Training(NetworkState& state, const StepCell& cell, const RandomSamples& samples, bool growsByGradient)
      : cell_(cell), samples_(samples) {
    const std::string_view implementation = cell.implementation;
    if (implementation != "sparse" && implementation != "dense") {
      const bool masked = implementation.starts_with("masked");
      const auto way = masked ? ComposedStep::Way::Masked : ComposedStep::Way::Device;
      const ComposedStep::Library library{true, !implementation.ends_with("default")};
      composed_ = std::make_unique<ComposedStep>(state, cell.batch, cell.precision, way, library);
    } else {
      DeviceSettings settings;
      settings.batchSize = cell.batch;
      settings.growsByGradient = growsByGradient;
      settings.precision = cell.precision;
      device_ = std::make_unique<CudaDevice>(state, settings);
    }
  }

  Trainer trainer() {
    return {[this](const StepSettings& settings, const Batch& batch) {
              if (composed_ != nullptr) return composed_->step(samples_.samples(), batch, settings);
              device_->step(samples_.samples(), batch, settings);
            },
            [this] {
              return meanLoss(composed_ != nullptr ? composed_->finished() : device_->finished(true),
                              cell_.batch);
            }};
  }

  /// Of this network alone: the samples are the data set's.
  int64_t peakBytes() const {
    return (composed_ != nullptr ? composed_->peakBytes() : device_->peakBytes()) - samples_.bytes();
  }
  std::string plan() const { return composed_ != nullptr ? "" : describe(device_->plan()); }
  CudaDevice& device() { return *device_; }

 private:
  const StepCell& cell_;
  const RandomSamples& samples_;
  std::unique_ptr<ComposedStep> composed_;
  std::unique_ptr<CudaDevice> device_;
};

class StepBench {
 public:
  StepBench(Context& context, Scale scale, Budget& budget)
      : context_(context), scale_(scale), budget_(budget) {}

  void measure(const StepCell& cell) {
    if (!budget_.allows(cell.name())) return;
    guarded(context_, cell.name(), [&] {
      NetworkState& state = states_.get(cell);
      const RandomSamples samples(cell.shape, cell.batch);
      const int64_t before = freeBytes();
      Training training(state, cell, samples, false);
      const Trainer trainer = training.trainer();
      int64_t next = 1;
      while (next <= kLossStep) queueStep(trainer, samples, cell.shape, cell.batch, next++);
      const double loss = trainer.finish();
      const Timing timing = timeSteps(trainer, samples, cell.shape, cell.batch, scale_, next);
      Record record = cell.record("step");
      timing.addTo(record);
      record.add("loss", loss)
          .add("peakBytes", training.peakBytes())
          .add("reservedBytes", before - freeBytes() - samples.bytes())
          .add("plan", training.plan())
          .print();
    });
  }

  /// Steps of a network whose connections move, one rewiring after the other, for its cost and its memory.
  void measureRewiring(const StepCell& cell, GrowRule rule) {
    const bool rigl = rule == GrowRule::Gradient;
    const std::string name = cell.name() + (rigl ? ", RigL" : ", SET");
    if (!budget_.allows(name)) return;
    guarded(context_, name, [&] {
      NetworkState& state = states_.get(cell);
      const RandomSamples samples(cell.shape, cell.batch);
      Training training(state, cell, samples, rigl);
      const Trainer trainer = training.trainer();
      RewirePlan plan;
      plan.drop = rigl ? DropRule::Magnitude : DropRule::BySign;
      plan.grow = rule;
      plan.fraction = 0.3;
      plan.returnedKeepState = rigl;
      plan.initialization.kind = InitializationKind::Zeros;
      std::vector<double> microseconds;
      const int runs = scale_ == Scale::Tiny ? 2 : 12;
      for (int64_t run = 0; run < runs; ++run) {
        queueStep(trainer, samples, cell.shape, cell.batch, 1 + 2 * run);
        queueStep(trainer, samples, cell.shape, cell.batch, 2 + 2 * run, false);
        trainer.finish();
        plan.seed = static_cast<uint64_t>(run);
        const double time = hostMicroseconds([&] { training.device().rewire(plan); });
        // What the first one sets up counts for none of the others.
        if (run > 0) microseconds.push_back(time);
      }
      // The first step after a rewiring may have a graph to capture.
      std::vector<double> first, second;
      for (int64_t run = 0; run < runs; ++run) {
        training.device().rewire(plan);
        const int64_t number = 1 + 2 * (runs + run);
        first.push_back(stepOnce(trainer, samples, cell, number));
        second.push_back(stepOnce(trainer, samples, cell, number + 1));
      }
      const double afterwards = timingOf(first).median - timingOf(second).median;
      Record record = cell.record("rewiring");
      record.add("rule", rigl ? "RigL" : "SET");
      timingOf(std::move(microseconds)).addTo(record);
      record.add("afterwardsMicroseconds", std::max(0.0, afterwards))
          .add("peakBytes", training.peakBytes())
          .print();
    });
  }

  /// A step against the sum of its kernels, each run alone.
  void measureKernels(const StepCell& cell) {
    const std::string name = cell.name() + ", kernels";
    if (!budget_.allows(name)) return;
    guarded(context_, name, [&] {
      NetworkState& state = states_.get(cell);
      const RandomSamples samples(cell.shape, cell.batch);
      ComposedStep composed(state, cell.batch, cell.precision, ComposedStep::Way::Device, {});
      const Trainer trainer{[&](const StepSettings& settings, const Batch& batch) {
                              composed.step(samples.samples(), batch, settings);
                            },
                            [&] { return meanLoss(composed.finished(), cell.batch); }};
      int64_t next = 1;
      const Timing timing = timeSteps(trainer, samples, cell.shape, cell.batch, scale_, next);
      // The same batch again and again shall not carry the weights away.
      composed.step(samples.samples(), samples.batch(next, cell.batch), {0.0f, next, next, true});
      trainer.finish();
      double sum = 0;
      int64_t kernels = 0;
      const LaunchCost launch = launchCost(composed.context());
      for (const Deed& deed : composed.deeds()) {
        const DeedTime time = timeAlone(composed.context(), deed.queue, launch);
        cell.record("deed")
            .add("deed", deed.name)
            .add("kernels", time.kernels)
            .add("microseconds", time.microseconds)
            .print();
        sum += time.microseconds;
        kernels += time.kernels;
      }
      Record record = cell.record("kernels");
      timing.addTo(record);
      record.add("sumMicroseconds", sum)
          .add("kernels", kernels)
          .add("launchMicroseconds", launch.microseconds)
          .print();
    });
  }

 private:
  static double stepOnce(const Trainer& trainer, const RandomSamples& samples, const StepCell& cell,
                         int64_t number) {
    return hostMicroseconds([&] {
      queueStep(trainer, samples, cell.shape, cell.batch, number);
      trainer.finish();
    });
  }

  Context& context_;
  const Scale scale_;
  Budget& budget_;
  States states_;
};

/// What is measured of one network.
struct StepPlan {
  NetworkShape shape;
  std::vector<int32_t> batches;
  std::vector<double> sparsities;
  std::vector<int32_t> blocks;
};

constexpr Precision kPrecisions[] = {Precision::Tf32, Precision::Float32, Precision::Bfloat16};

void measureNetwork(StepBench& bench, const StepPlan& plan) {
  for (const int32_t batch : plan.batches) {
    for (const Precision precision : kPrecisions) {
      for (const char* const way : {"dense", "dense wide"})
        bench.measure({plan.shape, batch, 0, 1, precision, way});
    }
    bench.measure({plan.shape, batch, 0, 1, Precision::Float32, "dense default"});
    // The masked way takes as long at any sparsity.
    for (const Precision precision : kPrecisions) {
      bench.measure({plan.shape, batch, plan.sparsities.front(), 1, precision, "masked"});
    }
    bench.measure({plan.shape, batch, plan.sparsities.front(), 1, Precision::Float32, "masked default"});
    for (const double sparsity : plan.sparsities) {
      for (const Precision precision : {Precision::Float32, Precision::Bfloat16}) {
        bench.measure({plan.shape, batch, sparsity, 1, precision});
      }
    }
    for (const int32_t block : plan.blocks) {
      for (const double sparsity : plan.sparsities) {
        for (const Precision precision : {Precision::Tf32, Precision::Bfloat16}) {
          bench.measure({plan.shape, batch, sparsity, block, precision});
        }
      }
    }
  }
}

void measureMoves(StepBench& bench, const NetworkShape& shape, int32_t batch,
                  const std::vector<double>& sparsities) {
  for (const double sparsity : sparsities) {
    for (const GrowRule rule : {GrowRule::Gradient, GrowRule::Random}) {
      bench.measureRewiring({shape, batch, sparsity, 1, Precision::Float32}, rule);
    }
  }
}

}  // namespace

void measureSteps(Context& context, const Options& options, Budget& budget) {
  StepBench bench(context, options.scale, budget);
  const auto measureSmall = [&](const NetworkShape& shape, int32_t batch,
                                const std::vector<double>& sparsities) {
    for (const double sparsity : sparsities) bench.measureKernels({shape, batch, sparsity});
    measureNetwork(bench, {shape, {batch}, sparsities, {}});
  };
  if (options.scale == Scale::Tiny) {
    const NetworkShape shape{{32, 32, 10}};
    measureNetwork(bench, {shape, {8}, {0.5}, {16}});
    measureMoves(bench, shape, 8, {0.5});
    measureSmall({{24, 32, 32, 10}, OptimizerKind::Sgd}, 8, {0.5});
    return;
  }
  const bool full = options.scale == Scale::Full;
  const NetworkShape wide{{4096, 4096, 10}}, small{{784, 1024, 1024, 10}, OptimizerKind::Sgd};
  const std::vector<double> sparsities{0.9, 0.95, 0.99};
  measureNetwork(bench,
                 {wide, {128}, sparsities, full ? std::vector<int32_t>{16, 32} : std::vector<int32_t>{}});
  measureMoves(bench, wide, 128, {0.9, 0.99});
  measureSmall(small, 128, sparsities);
  measureNetwork(bench, {wide, {32, 2048}, sparsities, {}});
  if (!full) return;
  // The lowest layer has no input gradient; here a second one has all three products.
  measureNetwork(bench, {{{4096, 4096, 4096, 10}}, {128, 2048}, sparsities, {16, 32}});
  const NetworkShape huge{{16384, 16384, 10}};
  measureMoves(bench, huge, 128, {0.99, 0.9});
  measureNetwork(bench, {huge, {128}, {0.99, 0.9}, {}});
  measureNetwork(bench, {wide, {512}, {0.9, 0.95, 0.99, 0.98, 0.999, 0.8, 0.5}, {16, 32}});
  measureNetwork(bench, {wide, {128, 32, 2048}, {0.98, 0.999, 0.8, 0.5}, {}});
}

}  // namespace espalier::cuda::bench
