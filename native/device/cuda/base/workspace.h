#pragma once

#include <algorithm>
#include <cstdint>

#include "device/cuda/base/memory.h"

namespace espalier::cuda {

/// Scratch that everything on a network's stream shares, one deed after the other: what a product leaves
/// there is gone when the next one begins.
class Workspace {
 public:
  explicit Workspace(DeviceMemory& memory) : memory_(memory) {}

  /// Makes it at least so large. What was there is lost, and the address may change.
  void require(int64_t bytes) {
    if (bytes <= buffer_.size()) return;
    buffer_ = {};
    buffer_ = DeviceBuffer<unsigned char>(memory_, bytes);
  }
  /// Gives the memory back.
  void clear() { buffer_ = {}; }

  float* floats() { return reinterpret_cast<float*>(buffer_.data()); }
  int64_t bytes() const { return buffer_.bytes(); }

 private:
  DeviceMemory& memory_;
  DeviceBuffer<unsigned char> buffer_;
};

}  // namespace espalier::cuda
