#include <limits>

#include "addon/convert.h"

namespace espalier::addon {
namespace {

constexpr int64_t kLargestSize = std::numeric_limits<int32_t>::max();
constexpr int64_t kManySteps = int64_t{1} << 40;
constexpr double kLargest = 1e30;

LearningRateSchedule readLearningRateSchedule(const Input& input) {
  LearningRateSchedule schedule;
  schedule.kind = input.at("type").choice<LearningRateKind>({{"constant", LearningRateKind::Constant},
                                                             {"step", LearningRateKind::Step},
                                                             {"cosine", LearningRateKind::Cosine},
                                                             {"oneCycle", LearningRateKind::OneCycle}});
  schedule.every = input.at("every").numberWithin(1, static_cast<double>(kManySteps));
  schedule.factor = input.at("factor").numberWithin(0, kLargest);
  schedule.minimum = input.at("minimum").numberWithin(0, kLargest);
  schedule.rise = input.at("rise").numberWithin(0, 1);
  schedule.start = input.at("start").numberWithin(0, kLargest);
  schedule.end = input.at("end").numberWithin(0, kLargest);
  schedule.warmup = input.at("warmup").integer(0, kManySteps);
  return schedule;
}

}  // namespace

Optimizer readOptimizer(const Input& input) {
  Optimizer optimizer;
  optimizer.kind = input.at("type").choice<OptimizerKind>(
      {{"sgd", OptimizerKind::Sgd}, {"adam", OptimizerKind::Adam}, {"adamw", OptimizerKind::AdamW}});
  optimizer.learningRate = input.at("learningRate").numberWithin(0, kLargest);
  optimizer.weightDecay = input.at("weightDecay").numberWithin(0, kLargest);
  optimizer.l1 = input.at("l1").numberWithin(0, kLargest);
  optimizer.momentum = input.at("momentum").numberWithin(0, 1);
  optimizer.nesterov = input.at("nesterov").boolean();
  optimizer.beta1 = input.at("beta1").shareBelowOne();
  optimizer.beta2 = input.at("beta2").shareBelowOne();
  optimizer.epsilon = input.at("epsilon").numberWithin(0, kLargest);
  return optimizer;
}

Watched readWatched(const Input& input) {
  return input.choice<Watched>({{"trainLoss", Watched::TrainLoss},
                                {"trainAccuracy", Watched::TrainAccuracy},
                                {"validationLoss", Watched::ValidationLoss},
                                {"validationAccuracy", Watched::ValidationAccuracy}});
}

FitSettings readFitSettings(const Input& input) {
  FitSettings settings;
  settings.epochs = input.at("epochs").integer(1, kManySteps);
  settings.batchSize = input.at("batchSize").integer(1, kLargestSize);
  settings.optimizer = readOptimizer(input.at("optimizer"));
  settings.learningRate = readLearningRateSchedule(input.at("learningRateSchedule"));
  settings.rewire = readRewire(input.at("rewire"));
  settings.shuffle = input.at("shuffle").boolean();
  settings.threads = input.at("threads").threads();
  settings.resume = input.at("resume").boolean();
  const Input watched = input.at("watched");
  if (!watched.isNull()) settings.watched = readWatched(watched);
  settings.minimumChange = input.at("minimumChange").numberWithin(0, kLargest);
  settings.patience = input.at("patience").integer(0, kManySteps);
  settings.maxSteps = input.at("maxSteps").integer(0, kManySteps);
  settings.maxSeconds = input.at("maxSeconds").numberWithin(0, kLargest);
  const Input checkpoints = input.at("checkpoints");
  settings.checkpoints = {
      checkpoints.at("epochs").integer(0, kManySteps), checkpoints.at("steps").integer(0, kManySteps),
      checkpoints.at("seconds").numberWithin(0, kLargest), checkpoints.at("best").boolean()};
  return settings;
}

}  // namespace espalier::addon
