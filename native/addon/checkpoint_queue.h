#pragma once

#include <mutex>
#include <optional>
#include <utility>

#include "model/snapshot.h"

namespace espalier::addon {

/// Copies of a network that a run laid aside, until JavaScript has written them to disk. At most two wait:
/// the newest and the best. Filled by the training thread, emptied by the JavaScript thread.
class CheckpointQueue {
 public:
  struct Checkpoint {
    Snapshot snapshot;
    bool newest = false;
    bool best = false;
  };

  /// For a run that begins.
  void clear() {
    const std::lock_guard lock(mutex_);
    newest_.reset();
    best_.reset();
    writing_ = false;
  }

  /// Whether a copy may be put as the newest: none waits, and none is being written.
  bool wants() const {
    const std::lock_guard lock(mutex_);
    return !writing_ && !newest_;
  }

  void put(Checkpoint checkpoint) {
    const std::lock_guard lock(mutex_);
    if (checkpoint.best) best_.reset();
    (checkpoint.newest ? newest_ : best_) = std::move(checkpoint);
  }

  /// The next to write, or none, whereupon writing is over.
  std::optional<Checkpoint> take() {
    const std::lock_guard lock(mutex_);
    std::optional<Checkpoint> next = std::exchange(newest_ ? newest_ : best_, std::nullopt);
    writing_ = next.has_value();
    return next;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Checkpoint> newest_;
  std::optional<Checkpoint> best_;
  bool writing_ = false;
};

}  // namespace espalier::addon
