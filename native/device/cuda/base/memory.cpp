#include "device/cuda/base/memory.h"

#include <algorithm>
#include <limits>
#include <string>

namespace espalier::cuda {

DeviceMemory::DeviceMemory(const Stream& stream) : stream_(stream) {
  int device = 0;
  check(cudaGetDevice(&device), "name the GPU in use");
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.handleTypes = cudaMemHandleTypeNone;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = device;
  check(cudaMemPoolCreate(&pool_, &properties), "make a memory pool");
  // A rewiring takes and frees the same memory again and again: the pool keeps it.
  uint64_t threshold = std::numeric_limits<uint64_t>::max();
  check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &threshold), "set up a memory pool");
}

DeviceMemory::~DeviceMemory() {
  // The pool goes when its last memory has been freed, which the stream may still have to come to.
  (void)cudaStreamSynchronize(stream_.get());
  (void)cudaMemPoolDestroy(pool_);
}

void* DeviceMemory::allocate(int64_t bytes) {
  void* memory = nullptr;
  const cudaError_t status =
      cudaMallocFromPoolAsync(&memory, static_cast<size_t>(bytes), pool_, stream_.get());
  if (status == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    throw Error(ErrorCode::Memory, "the GPU has too little memory: " + std::to_string(bytes) +
                                       " bytes asked for, " + cardMemory().text());
  }
  check(status, "allocate memory");
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  return memory;
}

void DeviceMemory::free(void* memory, int64_t bytes) noexcept {
  (void)cudaFreeAsync(memory, stream_.get());
  used_ -= bytes;
}

}  // namespace espalier::cuda
