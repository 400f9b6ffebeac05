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

/// What of an epoch is watched; none where it was not measured.
std::optional<double> valueOf(Watched watched, const EpochEvent& event) {
  switch (watched) {
    case Watched::TrainLoss:
      return event.train.loss;
    case Watched::TrainAccuracy:
      return event.train.accuracy;
    case Watched::ValidationLoss:
      return event.validation ? std::optional(event.validation->loss) : std::nullopt;
    case Watched::ValidationAccuracy:
      break;
  }
  return event.validation ? event.validation->accuracy : std::nullopt;
}

bool growsBetter(Watched watched) {
  return watched == Watched::TrainAccuracy || watched == Watched::ValidationAccuracy;
}

void checkSettings(const FitSettings& settings) {
  require(settings.epochs > 0, ErrorCode::Option, "epochs must be at least 1");
  require(settings.batchSize > 0, ErrorCode::Option, "batchSize must be at least 1");
  require(settings.threads > 0, ErrorCode::Option, "threads must be at least 1");
}

}  // namespace

Metrics metricsOf(const Outcome& outcome, bool labelled, int64_t count) {
  Metrics metrics;
  const auto divisor = static_cast<double>(std::max<int64_t>(count, 1));
  metrics.loss = outcome.lossSum / divisor;
  if (labelled) metrics.accuracy = static_cast<double>(outcome.correct) / divisor;
  return metrics;
}

FitRun::FitRun(Network& network, BatchSource& source, const Samples* validation, const FitSettings& settings,
               const FitListener& listener)
    : network_(network),
      state_(network.state_),
      source_(source),
      validation_(validation),
      settings_(settings),
      listener_(listener),
      length_{divideUp(source.samplesPerEpoch(), std::max<int64_t>(settings.batchSize, 1)), settings.epochs},
      rewirings_(settings.rewire, length_, settings.optimizer.learningRate, settings.threads,
                 network.state_) {
  checkSettings(settings);
  // What cannot be had is said before anything changes.
  if (chooseDevice(network.placement_.device) == DeviceKind::Cpu) {
    turn_.emplace(Turns::ofProcess(), settings.threads, [this] { return cancelled(); });
    turn_->take();
  }
  if (!settings.resume) {
    rewirings_.start(state_, [this](NetworkState& shown, const auto& use) { showFirstBatch(shown, use); });
    resetOptimizer(state_, settings.optimizer);
  } else {
    require(state_.optimizer.has_value(), ErrorCode::State,
            "there is nothing to resume: this network was never trained");
    require(*state_.optimizer == settings.optimizer, ErrorCode::Option,
            "optimizer: a resumed run needs the optimizer that it began with");
    require(state_.progress.stepInEpoch <= length_.stepsPerEpoch, ErrorCode::Option,
            "the progress to resume lies beyond an epoch of these samples and this batchSize");
  }
  rewirings_.begin(state_);
  settled_ = state_.progress;
  if (listener.begin) listener.begin(state_);
  makeDevice();
}

DeviceSettings FitRun::deviceSettings() const {
  DeviceSettings settings = network_.settingsFor(settings_.threads);
  settings.batchSize = std::min(settings_.batchSize, source_.samplesPerEpoch());
  settings.growsByGradient = rewirings_.needsGradient();
  return settings;
}

void FitRun::makeDevice() {
  device_ = network_.makeDevice(deviceSettings());
  stepped_ = false;
}

void FitRun::showFirstBatch(NetworkState& shown, const std::function<void(const ReadGradient&)>& use) const {
  DeviceSettings settings = deviceSettings();
  settings.growsByGradient = true;
  // A step needs one, though it moves nothing; without memory of its own.
  resetOptimizer(shown, {});
  const auto device = espalier::makeDevice(chooseDevice(network_.placement_.device), shown, settings);
  StepSettings step;
  step.moveWeights = false;
  const SourceBatch first = source_.peek(settings.batchSize);
  device->step(first.samples, first.batch, step);
  device->finished(true);
  use(readerOf(*device));
}

FitResult FitRun::run() {
  begin_ = lastProgress_ = lastCheckpoint_ = Clock::now();
  firstStep_ = state_.progress.step;
  try {
    while (state_.progress.epoch < settings_.epochs && !exhausted() && runEpoch()) {
    }
    settle();
  } catch (...) {
    salvage();
    throw;
  }
  network_.keepFactsOf(*device_);
  return {end_, state_.progress.epoch, state_.progress.step, state_.progress.rewirings};
}

void FitRun::waitUnless(const std::function<bool()>& over) {
  if (over()) return;
  settle();
  if (turn_) turn_->leave();
  network_.awaitNews(over);
  network_.runInspections();
}

void FitRun::rest() {
  if (!network_.paused()) return;
  const auto begin = Clock::now();
  while (network_.paused() && !cancelled()) waitUnless([this] { return !network_.paused(); });
  restSeconds_ += secondsSince(begin);
}

void FitRun::awaitBatch() {
  waitUnless([this] { return source_.ready(); });
}

bool FitRun::ends() {
  if (cancelled()) {
    end_ = FitEnd::Cancelled;
  } else if (settings_.maxSteps > 0 && state_.progress.step - firstStep_ >= settings_.maxSteps) {
    end_ = FitEnd::MaxSteps;
  } else if (settings_.maxSeconds > 0 && secondsSince(begin_) - restSeconds_ >= settings_.maxSeconds) {
    end_ = FitEnd::MaxSeconds;
  }
  return end_ != FitEnd::Finished;
}

bool FitRun::goesOn() {
  for (;;) {
    rest();
    if (ends()) return false;
    if (source_.ready()) break;
    awaitBatch();
  }
  if (turn_) turn_->take();
  return true;
}

bool FitRun::exhausted() {
  const Progress& progress = state_.progress;
  // A run that goes on in the middle of an epoch had patience at its beginning.
  const bool over = settings_.patience > 0 && progress.best && progress.stepInEpoch == 0 &&
                    progress.epoch - progress.best->epoch >= settings_.patience;
  if (over) end_ = FitEnd::EarlyStopping;
  return over;
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

void FitRun::checkpoint(bool epochDone) {
  if (!listener_.checkpoint) return;
  const CheckpointMoments& moments = settings_.checkpoints;
  const Progress& progress = state_.progress;
  const bool best = epochDone && moments.best && improved_;
  checkpointOwed_ = checkpointOwed_ ||
                    (epochDone && moments.epochs > 0 && progress.epoch % moments.epochs == 0) ||
                    (moments.steps > 0 && progress.step % moments.steps == 0) ||
                    (moments.seconds > 0 && secondsSince(lastCheckpoint_) >= moments.seconds);
  const bool newest = checkpointOwed_ && listener_.wantsCheckpoint();
  if (!newest && !best) return;
  settle();
  listener_.checkpoint(state_, newest, best);
  if (!newest) return;
  checkpointOwed_ = false;
  lastCheckpoint_ = Clock::now();
}

bool FitRun::runEpoch() {
  const auto begin = Clock::now();
  const double restedBefore = restSeconds_;
  rewireSeconds_ = 0;
  const int64_t seenBefore = state_.progress.samplesSeen;
  // A run that was cancelled while it validated goes on with that.
  if (state_.progress.stepInEpoch < length_.stepsPerEpoch) source_.beginEpoch(state_.progress.epoch);
  while (state_.progress.stepInEpoch < length_.stepsPerEpoch) {
    if (!goesOn()) return false;
    step();
    if (turn_) turn_->pass();
    if (state_.progress.stepInEpoch == length_.stepsPerEpoch) break;
    inspect();
    checkpoint(false);
  }
  collect(true);
  if (!finishEpoch(secondsSince(begin) - (restSeconds_ - restedBefore), seenBefore)) return false;
  inspect();
  checkpoint(true);
  return true;
}

double FitRun::rateOf(int64_t step) const {
  return settings_.optimizer.learningRate *
         learningRateFactor(settings_.learningRate, step, length_.stepsPerEpoch, settings_.epochs);
}

void FitRun::step() {
  Progress& progress = state_.progress;
  const int64_t first = progress.stepInEpoch * settings_.batchSize;
  const SourceBatch next =
      source_.next(first, std::min(settings_.batchSize, source_.samplesPerEpoch() - first));

  const double rate = rateOf(progress.step);
  const DueRewiring due = rewirings_.dueAfter(progress.step + 1);
  StepSettings step;
  step.learningRate = static_cast<float>(rate);
  step.step = progress.step + 1;
  step.update = progress.updates + 1;
  step.moveWeights = rewirings_.movesWeights(step.step);
  device_->step(next.samples, next.batch, step);
  pending_.push_back({next.batch.count, progress});
  progress.step += 1;
  progress.stepInEpoch += 1;
  progress.updates += step.moveWeights ? 1 : 0;
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

bool FitRun::finishEpoch(double seconds, int64_t seenBefore) {
  Progress& progress = state_.progress;
  EpochEvent event;
  event.epoch = progress.epoch + 1;
  event.step = progress.step;
  event.train = metricsOf({progress.lossSum, progress.correct}, source_.labelled(), progress.samplesSeen);
  event.learningRate = rateOf(progress.step - 1);
  event.seconds = seconds;
  event.samplesPerSecond = static_cast<double>(progress.samplesSeen - seenBefore) / std::max(seconds, 1e-9);
  event.rewireSeconds = rewireSeconds_;
  if (validation_ != nullptr) {
    const auto outcome = device_->evaluateUnless([this] { return cancelled(); }, *validation_);
    if (!outcome) {
      end_ = FitEnd::Cancelled;
      return false;
    }
    event.validation = metricsOf(*outcome, validation_->labels != nullptr, validation_->count);
  }
  progress.epoch += 1;
  progress.stepInEpoch = 0;
  progress.lossSum = 0;
  progress.correct = 0;
  progress.samplesSeen = 0;
  watch(event);
  network_.keepFactsOf(*device_);
  if (listener_.epoch) listener_.epoch(event);
  return true;
}

void FitRun::watch(const EpochEvent& event) {
  improved_ = false;
  if (!settings_.watched) return;
  const Watched watched = *settings_.watched;
  const std::optional<double> value = valueOf(watched, event);
  // Nothing is better than what is no number, and no checkpoint can hold it.
  if (!value || !std::isfinite(*value)) return;
  std::optional<BestEpoch>& best = state_.progress.best;
  const double change = best ? (growsBetter(watched) ? *value - best->value : best->value - *value) : 0;
  improved_ = !best || best->watched != watched || change > settings_.minimumChange;
  if (improved_) best = BestEpoch{watched, event.epoch, *value};
}

}  // namespace espalier
