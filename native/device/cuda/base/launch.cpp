#include "device/cuda/base/launch.h"

namespace espalier::cuda {

void allowAllShared(const Card& card, const void* kernel) {
  cudaFuncAttributes attributes{};
  check(cudaFuncGetAttributes(&attributes, kernel), "ask for a kernel's properties");
  const int most = static_cast<int>(card.sharedBytesPerBlock) - static_cast<int>(attributes.sharedSizeBytes);
  if (attributes.maxDynamicSharedSizeBytes >= most) return;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most),
        "give a kernel its shared memory");
}

}  // namespace espalier::cuda
