#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/random.h"
#include "train/network.h"

namespace espalier {

Metrics metricsOf(const Outcome& outcome, const Samples& samples, int64_t count);

/// One call of fit: epochs, steps, rewirings, and what is told of them.
class FitRun {
 public:
  FitRun(Network& network, const Samples& train, const Samples* validation, const FitSettings& settings,
         const FitListener& listener);

  FitResult run();

 private:
  using Clock = std::chrono::steady_clock;

  bool cancelled() const { return network_.cancelled_.load(std::memory_order_relaxed); }
  /// Returns false when cancelled.
  bool runEpoch();
  void step(const Feistel& order);
  void rewire(int64_t step, double learningRate);
  void finishEpoch(double seconds);
  void reportBytes();

  Network& network_;
  NetworkState& state_;
  const Samples& train_;
  const Samples* const validation_;
  const FitSettings& settings_;
  const FitListener& listener_;
  const RunLength length_;
  std::unique_ptr<Device> device_;
  std::vector<int64_t> batch_;
  Clock::time_point lastProgress_;
  double rewireSeconds_ = 0;
  double lastLearningRate_ = 0;
};

}  // namespace espalier
