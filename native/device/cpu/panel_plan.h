#pragma once

#include <cstdint>

#include "device/device.h"
#include "model/state.h"

namespace espalier::cpu {

/// How a device cuts batches into panels, and threads share them.
struct PanelPlan {
  PanelPlan(const NetworkState& network, const DeviceSettings& settings);

  /// Samples of a panel where nothing is learnt from `count` of them: as few as keep every thread busy.
  int64_t inferenceStride(int64_t count) const;

  /// Panels have a multiple of so many samples.
  int64_t unit;
  /// Of a whole batch.
  int64_t panels;
  /// Samples of a panel, at most; while training, exactly.
  int64_t stride;
  /// Whether threads take a panel each, instead of dividing the rows of one.
  bool sideBySide;
  /// Panels that are under way at a time.
  int64_t atOnce;
  /// Whether each of two threads gathers all samples of a panel for itself. Half of them each is as soon
  /// done, but then what one has written is fetched by the other, and has to be fetched back to be written in
  /// the next step.
  bool gathersTwice;
};

}  // namespace espalier::cpu
