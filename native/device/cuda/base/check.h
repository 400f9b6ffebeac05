#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>

namespace espalier::cuda {

/// Throws an Error that names the deed and CUDA's reason, unless the call succeeded: Error(Memory) for lack
/// of memory, else Error(Device). Every call into the CUDA runtime goes through here.
void check(cudaError_t status, const char* deed);

/// Memory of the card, in bytes; both 0 where it does not tell.
struct CardMemory {
  int64_t free = 0;
  int64_t total = 0;

  /// "1 of 2 free".
  std::string text() const;
  /// Whether so little is free that a library may not be able to start.
  bool isShort() const;
};
CardMemory cardMemory() noexcept;

}  // namespace espalier::cuda
