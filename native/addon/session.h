#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "addon/checkpoint_queue.h"
#include "train/network.h"

namespace espalier::addon {

/// What can be told of a network at any time without stopping its training.
struct Facts {
  struct Layer {
    int64_t inputs = 0;
    int64_t outputs = 0;
    int64_t connections = 0;
    int64_t parameters = 0;
    int64_t removedNeurons = 0;
    std::optional<double> exploration;
  };
  std::vector<Layer> layers;
  StateBytes bytes;
};

/// A network whose long calls run on a worker, shared by the JavaScript object and its jobs.
struct Session {
  /// blank: see Network.
  Session(const NetworkDescription& description, const Placement& placement, bool blank);

  /// Takes the facts anew: those of a state at hand, or of the network's when it is between two steps.
  void refresh(const NetworkState& state);
  void refresh();
  Facts facts();

  const NetworkDescription description;
  espalier::Network network;
  /// Of the run under way, else of the last one.
  CheckpointQueue checkpoints;

 private:
  std::mutex mutex_;
  Facts facts_;
};

}  // namespace espalier::addon
