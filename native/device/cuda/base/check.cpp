#include "device/cuda/base/check.h"

#include <string>

#include "base/error.h"

namespace espalier::cuda {
namespace {

/// Handles, code and workspaces of a library, with room to spare.
constexpr int64_t kLibraryBytes = int64_t{256} << 20;

}  // namespace

void check(cudaError_t status, const char* deed) {
  if (status == cudaSuccess) return;
  // Clears what is not sticky, so that the next network does not trip over this one's error.
  (void)cudaGetLastError();
  const bool memory = status == cudaErrorMemoryAllocation;
  throw Error(memory ? ErrorCode::Memory : ErrorCode::Device,
              std::string("CUDA could not ") + deed + ": " + cudaGetErrorString(status) + " (" +
                  cudaGetErrorName(status) + ")" +
                  (memory ? "; bytes of the GPU: " + cardMemory().text() : std::string()));
}

CardMemory cardMemory() noexcept {
  size_t free = 0, total = 0;
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) {
    (void)cudaGetLastError();
    return {};
  }
  return {static_cast<int64_t>(free), static_cast<int64_t>(total)};
}

std::string CardMemory::text() const {
  return std::to_string(free) + " of " + std::to_string(total) + " free";
}

bool CardMemory::isShort() const {
  return total > 0 && free < kLibraryBytes;
}

}  // namespace espalier::cuda
