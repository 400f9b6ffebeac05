#pragma once

#include <cstdint>
#include <string>

#include "device/cuda/base/memory.h"
#include "device/cuda/base/stream.h"

namespace espalier::cuda {

/// The card, as far as launches depend on it.
struct Card {
  std::string name;
  /// Compute capability x 10: 90 for 9.0.
  int capability = 0;
  int multiprocessors = 0;
  /// Bytes of shared memory that one block may ask for.
  int64_t sharedBytesPerBlock = 0;
  int64_t cacheBytes = 0;
  /// Bytes from one row to the next that a copy of rows allows.
  int64_t largestPitch = 0;
};

/// What every deed on the GPU needs. One per network, used by one host thread at a time.
struct Context {
  /// Opens the GPU in use (device 0, or what CUDA_VISIBLE_DEVICES leaves). Throws Error(Device).
  Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Card card;
  Stream stream;
  DeviceMemory memory;
};

}  // namespace espalier::cuda
