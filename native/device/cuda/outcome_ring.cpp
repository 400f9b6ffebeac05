#include "device/cuda/outcome_ring.h"

#include <atomic>

namespace espalier::cuda {
namespace {

/// Steps that may be under way at once.
constexpr size_t kStepsAhead = 16;
/// Every step under way has a slot of its own, and those that are done but not yet taken as well.
constexpr int64_t kSlots = 1024;

}  // namespace

OutcomeRing::OutcomeRing(Context& context) : context_(context), outcomes_(kSlots), events_(kStepsAhead) {}

bool OutcomeRing::written(int64_t step) {
  return std::atomic_ref<int64_t>(outcomes_[step % kSlots].step).load(std::memory_order_acquire) == step;
}

void OutcomeRing::queued(int64_t step) {
  require(static_cast<int64_t>(pending_.size()) < kSlots, ErrorCode::Internal,
          "outcomes of steps were not taken");
  pending_.push_back(step);
  Event& event = events_[nextEvent_];
  nextEvent_ = (nextEvent_ + 1) % events_.size();
  // What this event marked last is kStepsAhead steps ago.
  event.synchronize();
  event.record(context_.stream);
}

std::vector<Outcome> OutcomeRing::take(bool all) {
  if (all) context_.stream.synchronize();
  std::vector<Outcome> outcomes;
  while (!pending_.empty() && written(pending_.front())) {
    const StepOutcome& outcome = outcomes_[pending_.front() % kSlots];
    outcomes.push_back({outcome.lossSum, outcome.correct});
    pending_.pop_front();
  }
  require(!all || pending_.empty(), ErrorCode::Internal, "the outcome of a step did not arrive");
  return outcomes;
}

}  // namespace espalier::cuda
