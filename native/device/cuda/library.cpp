#include "device/cuda/library.h"

#include <cuda_runtime.h>

#include "device/cuda/cuda_device.h"

namespace espalier::cuda {
namespace {

/// The oldest that the kernels are built for.
constexpr int kOldestCapability = 80;

/// 13000 is 13.0.
std::string versionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// Why the card in use, if any, cannot be used; empty where it can.
std::string whyNot(Status& status) {
  (void)cudaRuntimeGetVersion(&status.runtime);
  (void)cudaDriverGetVersion(&status.driver);
  if (status.driver == 0) return "no NVIDIA driver is installed";
  int cards = 0;
  cudaError_t result = cudaGetDeviceCount(&cards);
  if (result == cudaErrorInsufficientDriver) {
    return "the driver (CUDA " + versionText(status.driver) + ") is older than CUDA " +
           versionText(status.runtime) + " needs";
  }
  if (result == cudaErrorNoDevice || (result == cudaSuccess && cards == 0)) return "no GPU is visible";
  cudaDeviceProp properties{};
  if (result == cudaSuccess) result = cudaGetDeviceProperties(&properties, 0);
  if (result != cudaSuccess) return std::string("the GPU does not open: ") + cudaGetErrorString(result);

  status.card = properties.name;
  status.real = status.card != "CUDA emulation";
  status.capability = 10 * properties.major + properties.minor;
  status.memoryBytes = static_cast<int64_t>(properties.totalGlobalMem);
  status.multiprocessors = properties.multiProcessorCount;
  if (status.capability < kOldestCapability) {
    return status.card + " has compute capability " + std::to_string(properties.major) + "." +
           std::to_string(properties.minor) + "; 8.0 or newer is needed";
  }
  // Before any kernel is asked for: a card that has failed in this process fails that too.
  size_t free = 0, total = 0;
  result = cudaMemGetInfo(&free, &total);
  if (result != cudaSuccess) return status.card + " does not open: " + cudaGetErrorString(result);
  status.freeBytes = static_cast<int64_t>(free);
  if (!cardRunsKernels()) {
    return "this build holds no code for " + status.card + ", compute capability " +
           std::to_string(properties.major) + "." + std::to_string(properties.minor) +
           "; see ESPALIER_CUDA_ARCHITECTURES";
  }
  return {};
}

Status status() {
  Status status;
  status.reason = whyNot(status);
  status.usable = status.reason.empty();
  // What went wrong is told; it shall not be taken for the error of a later call.
  (void)cudaGetLastError();
  return status;
}

constexpr Library kLibrary{kLibraryVersion, status, makeCudaDevice, countMemoryIn};

}  // namespace
}  // namespace espalier::cuda

/// The one symbol that can be seen from outside.
extern "C" __attribute__((visibility("default"))) const espalier::cuda::Library* espalierCudaLibrary() {
  return &espalier::cuda::kLibrary;
}
