#pragma once

#include <cstdint>
#include <vector>

#include "device/device.h"
#include "train/network.h"

namespace espalier {

/// What is due after a step.
struct DueRewiring {
  /// A host rule looks at the gradient.
  bool observes = false;
  /// The rule moves connections.
  bool moves = false;
  bool prunesNeurons = false;

  bool any() const { return moves || prunesNeurons; }
};

/// The last batch's gradient, as rules read it.
ReadGradient readerOf(Device& device);

/// The rewirings of one run: when they come, and what they are. The device carries out SET and RigL itself;
/// everything else happens on the host's state, which must be up to date then, and after which the device
/// must be made anew.
class Rewirings {
 public:
  /// Throws Error(Option) where the settings cannot be carried out on this network; nothing has changed then.
  Rewirings(const RewireSettings& settings, const RunLength& length, double firstLearningRate, int threads,
            const NetworkState& network);

  /// Before the first step of a run that does not resume another.
  void start(NetworkState& network, const FirstBatch& firstBatch) const;
  /// Before the first step of a run, also of a resumed one.
  void begin(NetworkState& network);

  bool needsGradient() const;
  DueRewiring dueAfter(int64_t step) const;
  /// False on a step whose batch only shows where to grow.
  bool movesWeights(int64_t step) const;
  bool onHost(const DueRewiring& due) const;
  /// Whether the state's memory follows what happens on the device.
  bool followsDevice() const { return settings_.trackExploration; }

  void observe(NetworkState& network, Device& device, int64_t step, double learningRate) const;
  /// The share that moves, and what each layer came to. learningRate: of the step.
  RewireEvent rewire(NetworkState& network, Device& device, const DueRewiring& due, int64_t step,
                     double learningRate) const;
  /// After a rewiring, with the host's state up to date: fills in what the layers came to.
  void account(NetworkState& network, RewireEvent& event) const;

 private:
  RewirePlan planFor(const NetworkState& network, double fraction) const;
  double fractionAt(int64_t step, double learningRate) const;

  const RewireSettings& settings_;
  const RunLength length_;
  const double firstLearningRate_;
  const int threads_;
  /// Whether there are removed neurons, which a device knows nothing of, or will be.
  bool onlyLiving_ = false;
};

}  // namespace espalier
