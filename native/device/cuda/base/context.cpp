#include "device/cuda/base/context.h"

namespace espalier::cuda {
namespace {

int attribute(cudaDeviceAttr name, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, name, device), "ask for a property of the GPU");
  return value;
}

Card openCard() {
  check(cudaSetDevice(0), "open the GPU");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "ask for the GPU's properties");
  Card card;
  card.name = properties.name;
  card.capability = 10 * properties.major + properties.minor;
  card.multiprocessors = properties.multiProcessorCount;
  card.sharedBytesPerBlock = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
  card.cacheBytes = attribute(cudaDevAttrL2CacheSize, 0);
  card.largestPitch = attribute(cudaDevAttrMaxPitch, 0);
  return card;
}

}  // namespace

Context::Context() : card(openCard()), memory(stream) {}

}  // namespace espalier::cuda
