#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "base/turns.h"
#include "train/batch_source.h"
#include "train/network.h"
#include "train/rewirings.h"

namespace espalier {

Metrics metricsOf(const Outcome& outcome, bool labelled, int64_t count);

/// One call of fit: epochs, steps, rewirings, and what is told of them. The device may be some steps behind:
/// the counters of progress run ahead with the steps that were given to it, and the sums of losses and right
/// answers follow as outcomes come back. Both meet whenever anybody looks: settle().
class FitRun {
 public:
  /// The source has its first batch ready.
  FitRun(Network& network, BatchSource& source, const Samples* validation, const FitSettings& settings,
         const FitListener& listener);

  FitResult run();

 private:
  using Clock = std::chrono::steady_clock;

  /// A step that the device was given and has not told the outcome of.
  struct PendingStep {
    int64_t samples = 0;
    /// Before the step.
    Progress start;
  };

  bool cancelled() const { return network_.cancelled_.load(std::memory_order_relaxed); }
  /// Before a step: waits while paused and for its batch, and tells whether there shall be one; else end_
  /// says why not.
  bool goesOn();
  bool ends();
  void rest();
  void awaitBatch();
  /// Lets go of the processors while waiting for news, once over; shows the state to whoever wants to look.
  void waitUnless(const std::function<bool()>& over);
  /// Whether the last epochs brought nothing better; end_ then says so.
  bool exhausted();
  /// Returns false when the run ends before its epochs are over.
  bool runEpoch();
  void step();
  /// Takes the outcomes that are there, or with `all` every one. Throws Error(Diverged) at the first loss
  /// that is not finite; progress then ends before that step.
  void collect(bool all);
  /// Brings progress and the host's state to where training is.
  void settle();
  /// The same on the way out of a failed run, as far as the device still answers. A device that does not
  /// leaves progress where the host's state is.
  void salvage() noexcept;
  void inspect();
  void checkpoint(bool epochDone);
  DeviceSettings deviceSettings() const;
  void makeDevice();
  /// See FirstBatch.
  void showFirstBatch(NetworkState& shown, const std::function<void(const ReadGradient&)>& use) const;
  void rewire(const DueRewiring& due, int64_t step, double learningRate);
  /// seenBefore: samples of the epoch that this run did not train on. False where it was cancelled first.
  bool finishEpoch(double seconds, int64_t seenBefore);
  /// Learning rate of a step, counted from 0.
  double rateOf(int64_t step) const;
  void watch(const EpochEvent& event);
  void tellProgress();

  Network& network_;
  NetworkState& state_;
  BatchSource& source_;
  const Samples* const validation_;
  const FitSettings& settings_;
  const FitListener& listener_;
  const RunLength length_;
  Rewirings rewirings_;
  /// None on a GPU, which is not what runs share here.
  std::optional<Turn> turn_;
  /// Null only where a rewiring on the host has failed.
  std::unique_ptr<Device> device_;
  std::deque<PendingStep> pending_;
  /// Progress when the host's state was last up to date.
  Progress settled_;
  /// Mean of the last batch whose outcome came, and the step that it was; 0 before the first.
  double lastLoss_ = 0;
  int64_t lastStep_ = 0;
  bool stepped_ = false;
  FitEnd end_ = FitEnd::Finished;
  Clock::time_point begin_;
  double restSeconds_ = 0;
  int64_t firstStep_ = 0;
  /// Whether the last epoch was the best so far.
  bool improved_ = false;
  Clock::time_point lastCheckpoint_;
  /// Whether a checkpoint was due that could not be taken yet.
  bool checkpointOwed_ = false;
  Clock::time_point lastProgress_;
  double rewireSeconds_ = 0;
};

}  // namespace espalier
