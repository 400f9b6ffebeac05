#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "device/devices.h"
#include "model/state.h"
#include "train/batch_source.h"
#include "train/gradients.h"
#include "train/settings.h"

namespace espalier {

struct Metrics {
  /// Mean over the samples.
  double loss = 0;
  /// Share of right answers, 0..1; none where the samples have no labels.
  std::optional<double> accuracy;
};

struct ProgressEvent {
  int64_t epoch = 0;  ///< 1 for the first
  int64_t step = 0;   ///< since the start of training; the last one whose loss is known
  int64_t stepsPerEpoch = 0;
  double loss = 0;  ///< of that step's batch
};

struct EpochEvent {
  int64_t epoch = 0;
  int64_t step = 0;
  Metrics train;
  std::optional<Metrics> validation;
  double learningRate = 0;
  double seconds = 0;
  double samplesPerSecond = 0;
  double rewireSeconds = 0;
};

/// What became of one sparse layer in a rewiring.
struct RewiredLayer {
  LayerMoves moves;
  /// Weights that it has now; blocks at the border count whole, as in what moved.
  int64_t connections = 0;
  /// Of its neurons, so far.
  int64_t removedNeurons = 0;
  /// R_s, where it is followed.
  std::optional<double> exploration;
};

struct RewireEvent {
  int64_t epoch = 0;
  int64_t step = 0;
  /// 0 where only neurons were removed.
  double fraction = 0;
  std::vector<RewiredLayer> layers;
};

/// Hears of a run while it runs, on the training thread.
struct FitListener {
  /// Once, before the first step: the state as the run begins with it. Not called where a run is refused and
  /// has changed nothing.
  std::function<void(const NetworkState&)> begin;
  /// After a rewiring on the host: what of the state is counted in bytes, connections and neurons may differ.
  std::function<void(const NetworkState&)> changed;
  std::function<void(const ProgressEvent&)> progress;
  std::function<void(const EpochEvent&)> epoch;
  std::function<void(const RewireEvent&)> rewire;
  /// Whether a checkpoint can be taken now; else one that is due is asked for again after the next step, so
  /// that a slow disk delays checkpoints and never training.
  std::function<bool()> wantsCheckpoint;
  /// The state between two steps, to be copied: as the newest, for which wantsCheckpoint() was asked, or as
  /// the best so far, which must be taken, or as both.
  std::function<void(const NetworkState&, bool newest, bool best)> checkpoint;
};

enum class FitEnd { Finished, Cancelled, MaxSteps, MaxSeconds, EarlyStopping };

struct FitResult {
  FitEnd end = FitEnd::Finished;
  int64_t epochs = 0;
  int64_t steps = 0;
  int64_t rewirings = 0;
};

/// How the device of a call carries out its products.
struct NetworkPlan {
  /// Cpu or Cuda; none before the first call that needs a device.
  std::optional<DeviceKind> device;
  std::vector<ProductPlan> products;
};

/// A network and what can be done with it. fit, evaluate, predict and gradients block, and only one of them
/// runs at a time: a second one throws Error(State). cancel, pause, resume, inspect, deviceBytes and plan may
/// come from any thread at any time.
class Network {
 public:
  /// blank: with as few connections as can be, for a snapshot to replace. Throws Error(Device) where the
  /// placement insists on a device that is not usable.
  Network(const NetworkDescription& description, const Placement& placement, bool blank = false);

  /// Trains. Checks every sample first (Error(Data)). Throws Error(Diverged) when a batch's loss is not
  /// finite; the weights are then of no use, and progress ends before that batch. A cancelled run stops
  /// between two steps and can be resumed. Where a device fails for good, the network is as it was when it
  /// was last brought to the host.
  FitResult fit(const Samples& train, const Samples* validation, const FitSettings& settings,
                const FitListener& listener);
  /// The same with batches from elsewhere, whose arrival hear() tells; their samples are checked by whoever
  /// gives them.
  FitResult fit(BatchSource& source, const Samples* validation, const FitSettings& settings,
                const FitListener& listener);
  /// There is news for a run that waits.
  void hear();
  /// Asks the fit that runs, or is about to, to stop.
  void cancel();
  /// Asks it to wait between two steps until resume() or cancel().
  void pause();
  void resume();
  /// Forgets earlier cancels and pauses. Whoever starts a fit on another thread calls this first, on the
  /// thread that may cancel it: then no cancel is lost, and none that came too late stops the next fit.
  void forgetRequests();

  Metrics evaluate(const Samples& samples, int threads);
  void predict(const Samples& samples, std::span<float> outputs, int threads);
  /// Of the loss that evaluate() gives, so without dropout and DropConnect; changes nothing. Throws
  /// Error(Diverged) where the loss is not finite.
  Gradients gradients(const Samples& samples, int64_t batchSize, int threads);

  /// Runs task on the state as it stands between two steps: at once when nothing trains, else on the training
  /// thread. The task must not throw.
  void inspect(std::function<void(const NetworkState&)> task);

  /// Runs task on the state, which it may change; throws Error(State) while another call uses the network.
  void modify(const std::function<void(NetworkState&)>& task);

  int64_t inputs() const { return inputs_; }
  int64_t outputs() const { return outputs_; }
  /// Of the device of the call under way, else of the last one.
  DeviceBytes deviceBytes() const;
  NetworkPlan plan() const;

 private:
  class Busy;
  friend class FitRun;

  /// Labels or targets, as the loss needs them.
  void checkAnswered(const Samples& samples) const;
  /// A device for one call, chosen by the placement, that works on the network's state or on another.
  std::unique_ptr<Device> makeDevice(const DeviceSettings& settings) { return makeDevice(settings, state_); }
  std::unique_ptr<Device> makeDevice(const DeviceSettings& settings, NetworkState& state);
  /// Calls use(device) with one that does not train, and keeps it for the next call with as many threads: to
  /// make it takes longer than to ask it for little. One that keeps threads waiting is not kept.
  template <typename Use>
  void withForwardDevice(int threads, const Use& use);
  DeviceSettings settingsFor(int threads) const;
  void keepFactsOf(const Device& device);
  bool hasInspections() const;
  void runInspections();
  bool paused() const { return paused_.load(std::memory_order_relaxed); }
  /// Waits until over(), a cancel or an inspection, and no longer than a moment: time passes as well.
  void awaitNews(const std::function<bool()>& over);
  FitResult train(BatchSource& source, const Samples* validation, const FitSettings& settings,
                  const FitListener& listener);

  NetworkState state_;
  const Placement placement_;
  const int64_t inputs_;
  const int64_t outputs_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> paused_{false};
  mutable std::mutex mutex_;
  /// Of whatever a run that waits has to hear.
  std::condition_variable news_;
  bool busy_ = false;
  DeviceBytes deviceBytes_;
  NetworkPlan plan_;
  std::vector<std::function<void(const NetworkState&)>> inspections_;
  /// Holds the network as it is now: whoever changes it lets go of this.
  std::unique_ptr<Device> forwardDevice_;
  int forwardThreads_ = 0;
};

/// Throws Error(Data) naming the first value that is not finite or label that is out of range.
void checkSamples(const Samples& samples, int64_t inputs, int64_t outputs, bool answersNeeded);

}  // namespace espalier
