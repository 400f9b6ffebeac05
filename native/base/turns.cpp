#include "base/turns.h"

#include <algorithm>
#include <utility>

#include "base/thread_pool.h"

namespace espalier {
namespace {

/// Long against the time in which a team warms its caches, short against what a person notices.
constexpr std::chrono::milliseconds kTurn{10};
/// A turn that lasts so long is one long step.
constexpr std::chrono::milliseconds kOverdue{40};
/// How often one who waits looks for overdue turns, and whether it should go on waiting.
constexpr std::chrono::milliseconds kPatience{20};

}  // namespace

Turns& Turns::ofProcess() {
  // Never destroyed: runs that nobody waited for go on while a process exits.
  static Turns& turns = *new Turns(hardwareThreads());
  return turns;
}

Turns::Load Turns::load() const {
  const std::lock_guard lock(mutex_);
  Load load;
  for (const Turn* turn : turns_) {
    load.running += turn->stage_ == Stage::Running ? 1 : 0;
    load.waiting += turn->stage_ == Stage::Waiting ? 1 : 0;
  }
  return load;
}

void Turns::join(Turn& turn) {
  turn.stage_ = Stage::Waiting;
  turn.used_ = std::max(turn.used_, least_);
  turn.arrival_ = arrivals_++;
  turns_.push_back(&turn);
}

void Turns::leave(Turn& turn) {
  turn.stage_ = Stage::Away;
  turns_.erase(std::find(turns_.begin(), turns_.end(), &turn));
}

void Turns::release(Turn& turn, Clock::time_point now) {
  turn.used_ += std::chrono::duration<double>(now - turn.since_).count() * turn.threads_;
  turn.since_ = now;
}

Turn* Turns::next() const {
  Turn* best = nullptr;
  for (Turn* turn : turns_) {
    if (turn->stage_ != Stage::Waiting) continue;
    if (best == nullptr || std::pair(turn->used_, turn->arrival_) < std::pair(best->used_, best->arrival_)) {
      best = turn;
    }
  }
  return best;
}

void Turns::dispatch(Clock::time_point now) {
  if (turns_.empty()) return;
  least_ = (*std::min_element(turns_.begin(), turns_.end(), [](const Turn* a, const Turn* b) {
             return a->used_ < b->used_;
           }))->used_;
  int free = processors_;
  for (const Turn* turn : turns_) {
    if (turn->stage_ == Stage::Running && now - turn->since_ < kOverdue) free -= turn->threads_;
  }
  // Nobody overtakes the one who is next: a large team would wait for ever among small ones.
  for (Turn* turn = next(); turn != nullptr && turn->threads_ <= free; turn = next()) {
    free -= turn->threads_;
    turn->stage_ = Stage::Running;
    turn->since_ = now;
    turn->called_.notify_one();
  }
}

void Turns::await(Turn& turn, std::unique_lock<std::mutex>& lock) {
  dispatch(Clock::now());
  while (turn.stage_ == Stage::Waiting) {
    if (turn.impatient_()) {
      turn.stage_ = Stage::Running;
      turn.since_ = Clock::now();
      return;
    }
    turn.called_.wait_for(lock, kPatience);
    if (turn.stage_ == Stage::Waiting) dispatch(Clock::now());
  }
}

Turn::Turn(Turns& turns, int threads, std::function<bool()> impatient)
    : turns_(turns), threads_(std::clamp(threads, 1, turns.processors_)), impatient_(std::move(impatient)) {}

Turn::~Turn() {
  leave();
}

void Turn::take() {
  if (stage_ != Turns::Stage::Away) return;
  std::unique_lock lock(turns_.mutex_);
  turns_.join(*this);
  turns_.await(*this, lock);
}

void Turn::pass() {
  const auto now = Turns::Clock::now();
  if (stage_ != Turns::Stage::Running || now - since_ < kTurn) return;
  std::unique_lock lock(turns_.mutex_);
  turns_.release(*this, now);
  stage_ = Turns::Stage::Waiting;
  arrival_ = turns_.arrivals_++;
  turns_.await(*this, lock);
}

void Turn::leave() {
  if (stage_ == Turns::Stage::Away) return;
  const std::lock_guard lock(turns_.mutex_);
  const auto now = Turns::Clock::now();
  turns_.release(*this, now);
  turns_.leave(*this);
  turns_.dispatch(now);
}

}  // namespace espalier
