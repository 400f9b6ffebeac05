#include "train/network.h"

#include <algorithm>
#include <cmath>

#include "base/turns.h"
#include "train/fit_run.h"

namespace espalier {
namespace {

/// How late a run that waits may be for a deadline.
constexpr std::chrono::milliseconds kMoment{50};

}  // namespace

void checkSamples(const Samples& samples, int64_t inputs, int64_t outputs, bool answersNeeded) {
  require(samples.features == inputs, ErrorCode::Data,
          "samples have " + std::to_string(samples.features) + " features, the network takes " +
              std::to_string(inputs));
  require(samples.count > 0, ErrorCode::Data, "there are no samples");
  for (int64_t i = 0; i < samples.count; ++i) {
    const float* const row = samples.values + i * inputs;
    for (int64_t j = 0; j < inputs; ++j) {
      // A plain if: a message made for every number would take longer than an epoch.
      if (!std::isfinite(row[j])) {
        throw Error(ErrorCode::Data, "sample " + std::to_string(i) + ", feature " + std::to_string(j) +
                                         " is not a finite number");
      }
    }
  }
  if (!answersNeeded) return;
  require(samples.labels != nullptr || samples.targets != nullptr, ErrorCode::Data,
          "the samples have no labels");
  for (int64_t i = 0; samples.labels != nullptr && i < samples.count; ++i) {
    const int64_t classes = outputs == 1 ? 2 : outputs;
    if (samples.labels[i] < 0 || samples.labels[i] >= classes) {
      throw Error(ErrorCode::Data, "sample " + std::to_string(i) + " has label " +
                                       std::to_string(samples.labels[i]) + "; allowed: 0 to " +
                                       std::to_string(classes - 1));
    }
  }
  for (int64_t i = 0; samples.targets != nullptr && i < samples.count * outputs; ++i) {
    if (!std::isfinite(samples.targets[i])) {
      throw Error(ErrorCode::Data, "target " + std::to_string(i % outputs) + " of sample " +
                                       std::to_string(i / outputs) + " is not a finite number");
    }
  }
}

/// Holds the network for one call.
class Network::Busy {
 public:
  explicit Busy(Network& network) : network_(network) {
    const std::lock_guard lock(network_.mutex_);
    require(!network_.busy_, ErrorCode::State,
            "the network is in use by another fit, evaluate, predict or gradients");
    network_.busy_ = true;
  }
  ~Busy() {
    // Whoever asked for an inspection while this call was ending must still get it.
    for (;;) {
      network_.runInspections();
      const std::lock_guard lock(network_.mutex_);
      if (!network_.inspections_.empty()) continue;
      network_.busy_ = false;
      return;
    }
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  Network& network_;
};

Network::Network(const NetworkDescription& description, const Placement& placement, bool blank)
    : state_(blank ? makeBlankNetwork(description) : makeNetwork(description)),
      placement_(placement),
      inputs_(description.inputs),
      outputs_(state_.layers.back().outputs) {
  // Here, so that the CUDA part is opened by the thread that may also end the process, and not beside it.
  chooseDevice(placement.device);
}

DeviceSettings Network::settingsFor(int threads) const {
  DeviceSettings settings;
  settings.threads = threads;
  settings.precision = placement_.precision;
  settings.denseFallback = placement_.denseFallback;
  return settings;
}

void Network::checkAnswered(const Samples& samples) const {
  checkSamples(samples, inputs_, outputs_, true);
  require(state_.description.loss != Loss::SoftmaxCrossEntropy || samples.labels != nullptr, ErrorCode::Data,
          "softmaxCrossEntropy needs labels");
}

std::unique_ptr<Device> Network::makeDevice(const DeviceSettings& settings, NetworkState& state) {
  const DeviceKind kind = chooseDevice(placement_.device);
  auto device = espalier::makeDevice(kind, state, settings);
  {
    const std::lock_guard lock(mutex_);
    plan_ = {kind, {}};
  }
  keepFactsOf(*device);
  return device;
}

void Network::keepFactsOf(const Device& device) {
  const DeviceBytes bytes = device.bytes();
  std::vector<ProductPlan> products = device.plan();
  const std::lock_guard lock(mutex_);
  deviceBytes_ = bytes;
  plan_.products = std::move(products);
}

template <typename Use>
void Network::withForwardDevice(int threads, const Use& use) {
  const auto onProcessor = [&] { return plan().device == DeviceKind::Cpu; };
  if (forwardDevice_ != nullptr && onProcessor() && threads != forwardThreads_) forwardDevice_.reset();
  if (forwardDevice_ == nullptr) forwardDevice_ = makeDevice(settingsFor(threads));
  forwardThreads_ = threads;
  // A GPU takes no turn: it is not what runs share here.
  std::optional<Turn> turn;
  if (onProcessor()) turn.emplace(Turns::ofProcess(), threads, [] { return false; }).take();
  try {
    use(*forwardDevice_);
  } catch (...) {
    // A device that failed may have failed for good.
    forwardDevice_.reset();
    throw;
  }
  keepFactsOf(*forwardDevice_);
  if (onProcessor() && threads > 1) forwardDevice_.reset();
}

FitResult Network::fit(const Samples& train, const Samples* validation, const FitSettings& settings,
                       const FitListener& listener) {
  const Busy busy(*this);
  checkAnswered(train);
  std::optional<uint64_t> seed;
  if (settings.shuffle) seed = state_.description.seed;
  ResidentSource source(train, seed);
  return this->train(source, validation, settings, listener);
}

FitResult Network::fit(BatchSource& source, const Samples* validation, const FitSettings& settings,
                       const FitListener& listener) {
  const Busy busy(*this);
  return train(source, validation, settings, listener);
}

FitResult Network::train(BatchSource& source, const Samples* validation, const FitSettings& settings,
                         const FitListener& listener) {
  if (validation != nullptr) checkAnswered(*validation);
  forwardDevice_.reset();
  // A run that begins wants to see its first batch.
  while (!source.ready()) {
    if (cancelled_.load(std::memory_order_relaxed)) {
      const Progress& progress = state_.progress;
      return {FitEnd::Cancelled, progress.epoch, progress.step, progress.rewirings};
    }
    awaitNews([&] { return source.ready(); });
    runInspections();
  }
  require(state_.description.loss != Loss::SoftmaxCrossEntropy || source.labelled(), ErrorCode::Data,
          "softmaxCrossEntropy needs labels");
  return FitRun(*this, source, validation, settings, listener).run();
}

Metrics Network::evaluate(const Samples& samples, int threads) {
  const Busy busy(*this);
  checkAnswered(samples);
  Outcome outcome;
  withForwardDevice(threads, [&](Device& device) { outcome = device.evaluate(samples); });
  return metricsOf(outcome, samples.labels != nullptr, samples.count);
}

void Network::predict(const Samples& samples, std::span<float> outputs, int threads) {
  const Busy busy(*this);
  checkSamples(samples, inputs_, outputs_, false);
  require(
      static_cast<int64_t>(outputs.size()) == checkedProduct(samples.count, outputs_), ErrorCode::Data,
      "predictions need " + std::to_string(samples.count) + " x " + std::to_string(outputs_) + " numbers");
  withForwardDevice(samples.count == 1 ? 1 : threads,
                    [&](Device& device) { device.predict(samples, outputs); });
}

Gradients Network::gradients(const Samples& samples, int64_t batchSize, int threads) {
  const Busy busy(*this);
  checkAnswered(samples);
  require(batchSize > 0, ErrorCode::Option, "batchSize must be at least 1");
  DeviceSettings settings = settingsFor(threads);
  settings.batchSize = std::min(batchSize, samples.count);
  GradientRecorder recorder(state_);
  {
    const auto device = makeDevice(settings, recorder.network());
    recorder.record(*device, samples, settings.batchSize);
    keepFactsOf(*device);
  }
  return recorder.finish();
}

void Network::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_.store(true, std::memory_order_relaxed);
  news_.notify_all();
}

void Network::pause() {
  paused_.store(true, std::memory_order_relaxed);
}

void Network::resume() {
  const std::lock_guard lock(mutex_);
  paused_.store(false, std::memory_order_relaxed);
  news_.notify_all();
}

void Network::forgetRequests() {
  cancelled_.store(false, std::memory_order_relaxed);
  paused_.store(false, std::memory_order_relaxed);
}

void Network::hear() {
  const std::lock_guard lock(mutex_);
  news_.notify_all();
}

void Network::awaitNews(const std::function<bool()>& over) {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, kMoment, [&] {
    return over() || cancelled_.load(std::memory_order_relaxed) || !inspections_.empty();
  });
}

void Network::inspect(std::function<void(const NetworkState&)> task) {
  // Under the lock, so that a call which begins meanwhile waits instead of finding the network in use.
  const std::lock_guard lock(mutex_);
  if (busy_) {
    inspections_.push_back(std::move(task));
    news_.notify_all();
  } else {
    task(state_);
  }
}

void Network::modify(const std::function<void(NetworkState&)>& task) {
  const Busy busy(*this);
  forwardDevice_.reset();
  task(state_);
}

DeviceBytes Network::deviceBytes() const {
  const std::lock_guard lock(mutex_);
  return deviceBytes_;
}

NetworkPlan Network::plan() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

bool Network::hasInspections() const {
  const std::lock_guard lock(mutex_);
  return !inspections_.empty();
}

void Network::runInspections() {
  std::vector<std::function<void(const NetworkState&)>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(inspections_);
  }
  for (const auto& task : tasks) task(state_);
}

}  // namespace espalier
