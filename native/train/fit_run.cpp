#include "train/fit_run.h"

#include <algorithm>
#include <cmath>

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
      length_{divideUp(train.count, std::max<int64_t>(settings.batchSize, 1)), settings.epochs} {
  checkSettings(settings);
  if (!settings.resume) {
    resetOptimizer(state_, settings.optimizer);
  } else {
    require(state_.optimizer.has_value(), ErrorCode::State,
            "there is nothing to resume: this network was never trained");
    require(*state_.optimizer == settings.optimizer, ErrorCode::Option,
            "optimizer: a resumed run needs the optimizer that it began with");
    require(state_.progress.stepInEpoch < length_.stepsPerEpoch, ErrorCode::Option,
            "the progress to resume lies beyond an epoch of these samples and this batchSize");
  }
  const bool growsByGradient = settings.rewire.rule == RewireRule::Rigl;
  device_ =
      makeCpuDevice(state_, settings.threads, std::min(settings.batchSize, train.count), growsByGradient);
  reportBytes();
}

void FitRun::reportBytes() {
  const std::lock_guard lock(network_.mutex_);
  network_.deviceBytes_ = device_->bytes();
}

FitResult FitRun::run() {
  lastProgress_ = Clock::now();
  bool cancelled = false;
  while (!cancelled && state_.progress.epoch < settings_.epochs) cancelled = !runEpoch();
  device_->synchronize();
  return {cancelled, state_.progress.epoch, state_.progress.step};
}

bool FitRun::runEpoch() {
  const auto begin = Clock::now();
  rewireSeconds_ = 0;
  const Feistel order(static_cast<uint64_t>(train_.count),
                      deriveSeed(state_.description.seed, RandomPurpose::Shuffle, 0,
                                 static_cast<uint64_t>(state_.progress.epoch)));
  while (state_.progress.stepInEpoch < length_.stepsPerEpoch) {
    if (cancelled()) return false;
    step(order);
    if (state_.progress.stepInEpoch < length_.stepsPerEpoch) network_.runInspections();
  }
  finishEpoch(secondsSince(begin));
  network_.runInspections();
  return true;
}

void FitRun::step(const Feistel& order) {
  Progress& progress = state_.progress;
  const int64_t first = progress.stepInEpoch * settings_.batchSize;
  batch_.resize(static_cast<size_t>(std::min(settings_.batchSize, train_.count - first)));
  for (size_t i = 0; i < batch_.size(); ++i) {
    const auto rank = static_cast<uint64_t>(first) + i;
    batch_[i] = static_cast<int64_t>(settings_.shuffle ? order(rank) : rank);
  }

  const double rate =
      settings_.optimizer.learningRate *
      learningRateFactor(settings_.learningRate, progress.step, length_.stepsPerEpoch, settings_.epochs);
  const RewireSettings& rule = settings_.rewire;
  const bool rewires =
      rule.rule != RewireRule::Static && rewiresAt(rule.schedule, length_, progress.step + 1);
  StepSettings step;
  step.learningRate = static_cast<float>(rate);
  step.step = progress.step + 1;
  step.update = progress.updates + 1;
  step.moveWeights = !(rewires && rule.rule == RewireRule::Rigl && rule.skipUpdate);
  const Outcome outcome = device_->step(train_, batch_, step);

  const double loss = outcome.lossSum / static_cast<double>(batch_.size());
  require(std::isfinite(loss), ErrorCode::Diverged,
          "the loss is no longer a finite number at step " + std::to_string(progress.step + 1) + " (epoch " +
              std::to_string(progress.epoch + 1) + "); a smaller learning rate may help");
  progress.step += 1;
  progress.updates += step.moveWeights ? 1 : 0;
  progress.lossSum += outcome.lossSum;
  progress.correct += outcome.correct;
  progress.samplesSeen += static_cast<int64_t>(batch_.size());
  if (rewires) rewire(progress.step, rate);
  progress.stepInEpoch += 1;
  lastLearningRate_ = rate;

  if (listener_.progress && Clock::now() - lastProgress_ >= kProgressInterval) {
    lastProgress_ = Clock::now();
    listener_.progress({progress.epoch + 1, progress.step, length_.stepsPerEpoch, loss});
  }
}

void FitRun::rewire(int64_t step, double learningRate) {
  const auto begin = Clock::now();
  const RewireSettings& rule = settings_.rewire;
  RewirePlan plan;
  plan.drop = rule.drop;
  plan.grow = rule.rule == RewireRule::Rigl ? GrowRule::Gradient : GrowRule::Random;
  plan.returnedKeepState = rule.rule == RewireRule::Rigl;
  plan.initialization = rule.initialization;
  plan.fraction =
      rewireFraction(rule.schedule, length_, step, learningRate, settings_.optimizer.learningRate);
  plan.seed = deriveSeed(state_.description.seed, RandomPurpose::Growth, 0,
                         static_cast<uint64_t>(state_.progress.rewirings));
  const std::vector<LayerMoves> moves = device_->rewire(plan);
  state_.progress.rewirings += 1;
  rewireSeconds_ += secondsSince(begin);
  if (listener_.rewire) listener_.rewire({state_.progress.epoch + 1, step, plan.fraction, moves});
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
  reportBytes();
  if (listener_.epoch) listener_.epoch(event);
}

}  // namespace espalier
