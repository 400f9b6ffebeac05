#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>

#include "block.h"
#include "environment.h"
#include "launch.h"
#include "runtime.h"
#include "symbols.h"

namespace espalier::emulation {
namespace {

// Few, so that persistent grids stay small.
constexpr int kMultiprocessors = 4;
constexpr size_t kPlainSharedBytes = size_t{48} << 10;
constexpr int kCacheBytes = 1 << 20;
constexpr int kThreadsPerMultiprocessor = 2048;
constexpr int kVersion = 13000;

thread_local cudaError_t lastError = cudaSuccess;
std::atomic<uint64_t> launches{0};
std::atomic<bool> lost{false};

/// Dynamic shared memory that kernels were allowed beyond the plain 48 KiB.
class SharedLimits {
 public:
  void set(const void* kernel, size_t bytes) {
    const std::lock_guard lock(mutex_);
    limits_[kernel] = bytes;
  }
  size_t get(const void* kernel) {
    const std::lock_guard lock(mutex_);
    const auto limit = limits_.find(kernel);
    return limit == limits_.end() ? kPlainSharedBytes : limit->second;
  }

 private:
  std::mutex mutex_;
  std::map<const void*, size_t> limits_;
};

SharedLimits& sharedLimits() {
  static SharedLimits limits;
  return limits;
}

bool fitsCard(const cudaLaunchConfig_t& configuration) {
  const dim3 grid = configuration.gridDim;
  const dim3 block = configuration.blockDim;
  return grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x <= 0x7FFFFFFF && grid.y <= 65535 &&
         grid.z <= 65535 && block.x > 0 && block.y > 0 && block.z > 0 && block.x <= 1024 && block.y <= 1024 &&
         block.z <= 64 && uint64_t{block.x} * block.y * block.z <= 1024;
}

}  // namespace

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) lastError = error;
  return error;
}

cudaError_t cardState() {
  if (environment().failure == Failure::NoDevice) return cudaErrorNoDevice;
  if (environment().failure == Failure::OldDriver) return cudaErrorInsufficientDriver;
  return lost ? cudaErrorIllegalAddress : cudaSuccess;
}

cudaError_t countLaunch() {
  if (environment().failure == Failure::Lost && launches++ >= environment().launchesLeft) lost = true;
  return cardState();
}

cudaError_t queueKernel(const cudaLaunchConfig_t& configuration, const void* kernel,
                        std::function<void()> body, std::vector<const void*> pointers) {
  if (!fitsCard(configuration)) return remember(cudaErrorInvalidConfiguration);
  if (configuration.dynamicSmemBytes > sharedLimits().get(kernel)) return remember(cudaErrorInvalidValue);
  Launch launch{configuration.gridDim, configuration.blockDim, configuration.dynamicSmemBytes,
                std::move(body), kernel};
  return enqueue(configuration.stream, [launch = std::move(launch), pointers = std::move(pointers)] {
    if (countLaunch() != cudaSuccess) return;
    for (size_t i = 0; i < pointers.size(); ++i) {
      if (pointers[i] != nullptr && !isCardMemory(pointers[i], 0)) {
        fail("pointer %zu among the arguments of %s, %p, is not memory of the card", i,
             kernelName(launch.kernel).c_str(), pointers[i]);
      }
    }
    runLaunch(launch);
  });
}

}  // namespace espalier::emulation

using namespace espalier::emulation;

cudaError_t cudaGetLastError() {
  const cudaError_t error = lastError;
  // The loss of the card cannot be cleared.
  lastError = lost ? cudaErrorIllegalAddress : cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() {
  return lastError;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (environment().failure == Failure::NoDevice) return remember(cudaErrorNoDevice);
  if (environment().failure == Failure::OldDriver) return remember(cudaErrorInsufficientDriver);
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  return remember(device == 0 ? cardState() : cudaErrorInvalidDevice);
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return remember(cardState());
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return remember(cudaErrorInvalidDevice);
  // They are known of a card that is lost as well.
  if (const cudaError_t state = cardState(); state != cudaSuccess && !lost) return remember(state);
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "CUDA emulation");
  properties->totalGlobalMem = environment().memoryBytes;
  properties->sharedMemPerBlock = kPlainSharedBytes;
  properties->regsPerBlock = 65536;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->major = environment().capability / 10;
  properties->minor = environment().capability % 10;
  properties->multiProcessorCount = kMultiprocessors;
  properties->memoryBusWidth = 5120;
  properties->l2CacheSize = kCacheBytes;
  properties->maxThreadsPerMultiProcessor = kThreadsPerMultiprocessor;
  properties->sharedMemPerMultiprocessor = environment().sharedBytesPerBlock + 1024;
  properties->regsPerMultiprocessor = 65536;
  properties->sharedMemPerBlockOptin = environment().sharedBytesPerBlock;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties;
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, device); error != cudaSuccess)
    return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = properties.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(properties.sharedMemPerBlock);
      break;
    case cudaDevAttrWarpSize:
      *value = properties.warpSize;
      break;
    case cudaDevAttrMaxPitch:
      *value = static_cast<int>(kLargestPitch);
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = properties.multiProcessorCount;
      break;
    case cudaDevAttrL2CacheSize:
      *value = properties.l2CacheSize;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = properties.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(properties.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      break;
    case cudaDevAttrMemoryPoolsSupported:
      *value = 1;
      break;
    default:
      return remember(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = environment().failure == Failure::NoDevice    ? 0
             : environment().failure == Failure::OldDriver ? 11040
                                                           : kVersion;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  if (attributes == nullptr) return remember(cudaErrorInvalidValue);
  if (kernel == nullptr) return remember(cudaErrorInvalidDeviceFunction);
  *attributes = {};
  attributes->maxDynamicSharedSizeBytes = static_cast<int>(sharedLimits().get(kernel));
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  if (kernel == nullptr) return remember(cudaErrorInvalidDeviceFunction);
  if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
  if (value < 0 || static_cast<uint64_t>(value) > environment().sharedBytesPerBlock) {
    return remember(cudaErrorInvalidValue);
  }
  sharedLimits().set(kernel, static_cast<size_t>(value));
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int blockSize,
                                                          size_t sharedBytes) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  // Every block takes 1 KiB of shared memory for the system.
  const auto byShared = static_cast<int>((environment().sharedBytesPerBlock + 1024) / (sharedBytes + 1024));
  *blocks = std::min({32, kThreadsPerMultiprocessor / std::max(blockSize, 1), byShared});
  return cudaSuccess;
}

#define ESPALIER_ERRORS(E)                                                                       \
  E(cudaSuccess, "no error")                                                                     \
  E(cudaErrorInvalidValue, "invalid argument")                                                   \
  E(cudaErrorMemoryAllocation, "out of memory")                                                  \
  E(cudaErrorInvalidConfiguration, "invalid configuration argument")                             \
  E(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version") \
  E(cudaErrorInvalidDeviceFunction, "invalid device function")                                   \
  E(cudaErrorNoDevice, "no CUDA-capable device is detected")                                     \
  E(cudaErrorInvalidDevice, "invalid device ordinal")                                            \
  E(cudaErrorInvalidResourceHandle, "invalid resource handle")                                   \
  E(cudaErrorIllegalState, "the operation cannot be performed in the present state")             \
  E(cudaErrorNotReady, "device not ready")                                                       \
  E(cudaErrorIllegalAddress, "an illegal memory access was encountered")                         \
  E(cudaErrorNotSupported, "operation not supported")                                            \
  E(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing")       \
  E(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture")

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
#define ESPALIER_TEXT(name, text) \
  case name:                      \
    return text;
    ESPALIER_ERRORS(ESPALIER_TEXT)
    default:
      return "unknown error";
  }
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define ESPALIER_NAME(name, text) \
  case name:                      \
    return #name;
    ESPALIER_ERRORS(ESPALIER_NAME)
    default:
      return "cudaErrorUnknown";
  }
}
