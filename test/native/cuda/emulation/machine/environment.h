#pragma once

#include <cstdint>

namespace espalier::emulation {

enum class Failure { None, NoDevice, OldDriver, Lost, Libraries, Cusparse };

/// The variables that cuda_runtime.h tells of.
struct Environment {
  uint64_t seed = 1;
  uint64_t memoryBytes = uint64_t{4} << 30;
  uint64_t sharedBytesPerBlock = 227 << 10;
  int capability = 90;
  /// Streams do their work at once.
  bool eager = false;
  Failure failure = Failure::None;
  /// Launches until the card is lost.
  uint64_t launchesLeft = 0;
};

const Environment& environment();

}  // namespace espalier::emulation
