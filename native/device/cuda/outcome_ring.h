#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/samples.h"
#include "device/device.h"

namespace espalier::cuda {

/// Outcomes of steps that the card writes into the host's memory as it goes. Keeps the host from running too
/// far ahead: then a step can be cancelled soon, and no outcome is overwritten before it was read.
class OutcomeRing {
 public:
  explicit OutcomeRing(Context& context);

  StepOutcome* slots() { return outcomes_.data(); }
  int32_t size() const { return static_cast<int32_t>(outcomes_.size()); }

  /// After the work of a step was queued. Waits where too many steps are under way. Numbers are distinct.
  void queued(int64_t step);
  /// The outcomes, in order, of the steps that are done and were not given out before; with `all`, of every
  /// step, which it waits for.
  std::vector<Outcome> take(bool all);

 private:
  bool written(int64_t step);

  Context& context_;
  PinnedBuffer<StepOutcome> outcomes_;
  std::vector<Event> events_;
  size_t nextEvent_ = 0;
  std::deque<int64_t> pending_;
};

}  // namespace espalier::cuda
