#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "model/state.h"
#include "rewire/gradient.h"
#include "rewire/plan.h"
#include "rewire/schedule.h"

namespace espalier {

/// What a rule has at hand when it moves connections on the host.
struct HostRewiring {
  /// As the device left it. The rule changes patterns, weights and what it remembers; changeLayer() in
  /// rewire/change_layer.h keeps the rest in step.
  NetworkState& network;
  /// The batch of the last step; only for a rule that needsGradient(). Holds also after patterns have
  /// changed.
  const ReadGradient& gradient;
  const RewireSchedule& schedule;
  const RunLength& run;
  /// The step just done, from 1.
  int64_t step = 0;
  /// The share that the schedule asks for at this step.
  double fraction = 0;
  /// Of this rewiring; derive a layer's own from it.
  uint64_t seed = 0;
  /// Threads that the rule may use. Nothing of what it does may depend on them.
  int threads = 1;
};

/// Lets a network see the first batch of a run, and calls use() with the gradient that it gives. The network
/// must take the run's samples and be the caller's own; its weights stay as they are.
using FirstBatch =
    std::function<void(NetworkState& network, const std::function<void(const ReadGradient&)>& use)>;

/// A rule that moves connections on the host. Nothing of it may change while training: what a rule must
/// remember lies in LayerState::memory and so in every checkpoint. Equal states, gradients and seeds must
/// give equal results.
class HostRule {
 public:
  virtual ~HostRule() = default;

  /// Whether it reads gradients, which cost a batch's activations.
  virtual bool needsGradient() const { return false; }

  /// Before anything changes: throws Error(Option) where the rule cannot do its work in a run of this length.
  virtual void check(const NetworkState&, const RewireSchedule&, const RunLength&) const {}
  /// Before the first step of a run that does not resume another, and before the optimizer has its memory:
  /// may lay patterns and weights anew. Throws Error(Option) where it cannot; nothing has changed then.
  virtual void start(NetworkState&, const FirstBatch&) const {}
  /// Before the first step of a run, also of a resumed one: puts what it wants to remember in place, unless
  /// it is there.
  virtual void begin(NetworkState&) const {}

  /// Whether it moves connections after this step (1 for the first).
  virtual bool rewiresAt(const RewireSchedule& schedule, const RunLength& run, int64_t step) const {
    return espalier::rewiresAt(schedule, run, step);
  }
  /// Whether it looks at the gradient after this step without moving anything.
  virtual bool observesAt(const RewireSchedule&, const RunLength&, int64_t) const { return false; }
  /// May change what it remembers and nothing else. The host's weights may be older than the gradient.
  virtual void observe(const HostRewiring&) const {}

  /// Moves connections; a layer may end with fewer or more than it had, but never with none. Returns what it
  /// did to each sparse layer, in order.
  virtual std::vector<LayerMoves> rewire(const HostRewiring& rewiring) const = 0;
};

}  // namespace espalier
