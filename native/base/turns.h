#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace espalier {

class Turn;

/// Shares the processors among the calls that compute at the same time. A team of threads that meets at
/// barriers is slow when it has to share its processors with another, so teams take turns of some
/// milliseconds between two steps; who has computed least goes first. A step that takes longer than a turn
/// keeps nobody waiting: after a while its processors count as free, and the system divides them.
class Turns {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Turns(int processors) : processors_(processors) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  /// The one that all networks of the process share, in whatever environments they live: there is one set of
  /// processors.
  static Turns& ofProcess();

  struct Load {
    int64_t running = 0;
    int64_t waiting = 0;
  };
  Load load() const;

 private:
  friend class Turn;
  enum class Stage { Away, Waiting, Running };

  void join(Turn& turn);
  void leave(Turn& turn);
  /// Waits until the turn runs, or gives up waiting where the caller does.
  void await(Turn& turn, std::unique_lock<std::mutex>& lock);
  /// Lets those run that are next and for whom there is room.
  void dispatch(Clock::time_point now);
  void release(Turn& turn, Clock::time_point now);
  Turn* next() const;

  const int processors_;
  mutable std::mutex mutex_;
  std::vector<Turn*> turns_;
  /// Of all that take turns, the least that any had computed when this was looked at last: where one that
  /// comes, or comes back, begins.
  double least_ = 0;
  uint64_t arrivals_ = 0;
};

/// One call's part in it. Computing begins with take() and should pass() often; for one thread.
class Turn {
 public:
  /// threads: those of the call's team. impatient(): whether the call should end, for which no turn is
  /// needed.
  Turn(Turns& turns, int threads, std::function<bool()> impatient);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /// Waits for its turn. Does nothing where it has it.
  void take();
  /// Between two steps: lets others go first when this turn was long enough.
  void pass();
  /// Before waiting for something else than processors.
  void leave();

 private:
  friend class Turns;

  Turns& turns_;
  const int threads_;
  const std::function<bool()> impatient_;
  std::condition_variable called_;
  Turns::Stage stage_ = Turns::Stage::Away;
  Turns::Clock::time_point since_;
  /// Seconds computed, times threads.
  double used_ = 0;
  uint64_t arrival_ = 0;
};

}  // namespace espalier
