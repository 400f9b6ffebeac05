#include "train/fit_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace espalier {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(100);

double secondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void checkSettings(const FitSettings& settings) {
  require(settings.epochs > 0, ErrorCode::Option, "epochs must be at least 1");
  require(settings.batchSize > 0, ErrorCode::Option, "batchSize must be at least 1");
  require(settings.threads > 0, ErrorCode::Option, "threads must be at least 1");
}

}  // namespace

Metrics metricsOf(const Outcome& outcome, const Samples& samples, int64_t count) {
  Metrics metrics;
  const auto divisor = static_cast<double>(std::max<int64_t>(count, 1));
  metrics.loss = outcome.lossSum / divisor;
  if (samples.labels != nullptr) metrics.accuracy = static_cast<double>(outcome.correct) / divisor;
  return metrics;
}

FitRun::FitRun(Network& network, const Samples& train, const Samples* validation, const FitSettings& settings,
               const FitListener& listener)
    : network_(network),
      state_(network.state_),
      train_(train),
      validation_(validation),
      settings_(settings),
      listener_(listener),
      length_{divideUp(train.count, std::max<int64_t>(settings.batchSize, 1)), settings.epochs},
      rewirings_(settings.rewire, length_, settings.optimizer.learningRate, settings.threads,
                 network.state_) {
  checkSettings(settings);
  // What cannot be had is said before anything changes.
  chooseDevice(network.placement_.device);
  if (!settings.resume) {
    rewirings_.start(state_, [this](NetworkState& shown, const auto& use) { showFirstBatch(shown, use); });
    resetOptimizer(state_, settings.optimizer);
  } else {
    require(state_.optimizer.has_value(), ErrorCode::State,
            "there is nothing to resume: this network was never trained");
    require(*state_.optimizer == settings.optimizer, ErrorCode::Option,
            "optimizer: a resumed run needs the optimizer that it began with");
    require(state_.progress.stepInEpoch < length_.stepsPerEpoch, ErrorCode::Option,
            "the progress to resume lies beyond an epoch of these samples and this batchSize");
  }
  rewirings_.begin(state_);
  settled_ = state_.progress;
  if (listener.begin) listener.begin(state_);
  makeDevice();
}

DeviceSettings FitRun::deviceSettings() const {
  DeviceSettings settings = network_.settingsFor(settings_.threads);
  settings.batchSize = std::min(settings_.batchSize, train_.count);
  settings.growsByGradient = rewirings_.needsGradient();
  return settings;
}

void FitRun::makeDevice() {
  device_ = network_.makeDevice(deviceSettings());
  stepped_ = false;
}

Feistel FitRun::orderOf(int64_t epoch) const {
  return Feistel(
      static_cast<uint64_t>(train_.count),
      deriveSeed(state_.description.seed, RandomPurpose::Shuffle, 0, static_cast<uint64_t>(epoch)));
}

void FitRun::showFirstBatch(NetworkState& shown, const std::function<void(const ReadGradient&)>& use) const {
  DeviceSettings settings = deviceSettings();
  settings.growsByGradient = true;
  // A step needs one, though it moves nothing; without memory of its own.
  resetOptimizer(shown, {});
  const auto device = espalier::makeDevice(chooseDevice(network_.placement_.device), shown, settings);
  const Feistel order = orderOf(0);
  StepSettings step;
  step.moveWeights = false;
  device->step(train_, {0, settings.batchSize, settings_.shuffle ? &order : nullptr}, step);
  device->finished(true);
  use(readerOf(*device));
}

FitResult FitRun::run() {
  lastProgress_ = Clock::now();
  bool cancelled = false;
  try {
    while (!cancelled && state_.progress.epoch < settings_.epochs) cancelled = !runEpoch();
    settle();
  } catch (...) {
    salvage();
    throw;
  }
  network_.keepFactsOf(*device_);
  return {cancelled, state_.progress.epoch, state_.progress.step, state_.progress.rewirings};
}

void FitRun::collect(bool all) {
  Progress& progress = state_.progress;
  for (const Outcome& outcome : device_->finished(all)) {
    require(!pending_.empty(), ErrorCode::Internal, "the device tells of a step that it was not given");
    const PendingStep done = pending_.front();
    pending_.pop_front();
    lastLoss_ = outcome.lossSum / static_cast<double>(done.samples);
    lastStep_ = done.start.step + 1;
    if (!std::isfinite(lastLoss_)) {
      const Progress reached = progress;
      progress = done.start;
      progress.lossSum = reached.lossSum;
      progress.correct = reached.correct;
      progress.samplesSeen = reached.samplesSeen;
      pending_.clear();
      throw Error(ErrorCode::Diverged,
                  "the loss is no longer a finite number at step " + std::to_string(lastStep_) + " (epoch " +
                      std::to_string(progress.epoch + 1) + "); a smaller learning rate may help");
    }
    progress.lossSum += outcome.lossSum;
    progress.correct += outcome.correct;
    progress.samplesSeen += done.samples;
  }
  require(!all || pending_.empty(), ErrorCode::Internal, "the device keeps the outcome of a step to itself");
}

void FitRun::settle() {
  collect(true);
  device_->synchronize();
  settled_ = state_.progress;
}

void FitRun::salvage() noexcept {
  if (device_ == nullptr) return;
  try {
    collect(true);
  } catch (...) {
    // The error that ended the run is the one to tell.
  }
  try {
    device_->synchronize();
  } catch (...) {
    state_.progress = settled_;
  }
}

void FitRun::inspect() {
  if (!network_.hasInspections()) return;
  settle();
  network_.runInspections();
}

bool FitRun::runEpoch() {
  const auto begin = Clock::now();
  rewireSeconds_ = 0;
  order_.emplace(orderOf(state_.progress.epoch));
  while (state_.progress.stepInEpoch < length_.stepsPerEpoch) {
    if (cancelled()) return false;
    step();
    if (state_.progress.stepInEpoch < length_.stepsPerEpoch) inspect();
  }
  collect(true);
  finishEpoch(secondsSince(begin));
  inspect();
  return true;
}

void FitRun::step() {
  Progress& progress = state_.progress;
  Batch batch;
  batch.first = progress.stepInEpoch * settings_.batchSize;
  batch.count = std::min(settings_.batchSize, train_.count - batch.first);
  batch.order = settings_.shuffle ? &*order_ : nullptr;

  const double rate =
      settings_.optimizer.learningRate *
      learningRateFactor(settings_.learningRate, progress.step, length_.stepsPerEpoch, settings_.epochs);
  const DueRewiring due = rewirings_.dueAfter(progress.step + 1);
  StepSettings step;
  step.learningRate = static_cast<float>(rate);
  step.step = progress.step + 1;
  step.update = progress.updates + 1;
  step.moveWeights = rewirings_.movesWeights(step.step);
  device_->step(train_, batch, step);
  pending_.push_back({batch.count, progress});
  progress.step += 1;
  progress.stepInEpoch += 1;
  progress.updates += step.moveWeights ? 1 : 0;
  lastLearningRate_ = rate;
  // The first step settles how products are carried out.
  if (!std::exchange(stepped_, true)) network_.keepFactsOf(*device_);
  collect(false);
  if (due.observes) rewirings_.observe(state_, *device_, progress.step, rate);
  if (due.any()) rewire(due, progress.step, rate);
  tellProgress();
}

void FitRun::tellProgress() {
  if (!listener_.progress || lastStep_ == 0 || Clock::now() - lastProgress_ < kProgressInterval) return;
  lastProgress_ = Clock::now();
  listener_.progress({state_.progress.epoch + 1, lastStep_, length_.stepsPerEpoch, lastLoss_});
}

void FitRun::rewire(const DueRewiring& due, int64_t step, double learningRate) {
  const auto begin = Clock::now();
  const bool onHost = rewirings_.onHost(due);
  // Out of the way: should the rule fail, nobody may bring the device's older state to the host.
  std::unique_ptr<Device> old;
  if (onHost) {
    settle();
    old = std::move(device_);
  }
  RewireEvent event = rewirings_.rewire(state_, onHost ? *old : *device_, due, step, learningRate);
  state_.progress.rewirings += 1;
  if (onHost) {
    settled_ = state_.progress;
    // There need not be room for two.
    old.reset();
    makeDevice();
  } else if (rewirings_.followsDevice()) {
    settle();
  }
  rewirings_.account(state_, event);
  rewireSeconds_ += secondsSince(begin);
  if (onHost && listener_.changed) listener_.changed(state_);
  if (listener_.rewire) listener_.rewire(event);
}

void FitRun::finishEpoch(double seconds) {
  Progress& progress = state_.progress;
  EpochEvent event;
  event.epoch = progress.epoch + 1;
  event.step = progress.step;
  event.train = metricsOf({progress.lossSum, progress.correct}, train_, progress.samplesSeen);
  event.learningRate = lastLearningRate_;
  event.seconds = seconds;
  event.samplesPerSecond = static_cast<double>(progress.samplesSeen) / std::max(seconds, 1e-9);
  event.rewireSeconds = rewireSeconds_;
  if (validation_ != nullptr) {
    event.validation = metricsOf(device_->evaluate(*validation_), *validation_, validation_->count);
  }
  progress.epoch += 1;
  progress.stepInEpoch = 0;
  progress.lossSum = 0;
  progress.correct = 0;
  progress.samplesSeen = 0;
  network_.keepFactsOf(*device_);
  if (listener_.epoch) listener_.epoch(event);
}

}  // namespace espalier
