#include "device/devices.h"

#include "device/cuda_library.h"

namespace espalier {

DeviceKind chooseDevice(DeviceKind wanted) {
  if (wanted == DeviceKind::Cpu) return wanted;
  const cuda::Status status = cudaStatus();
  if (wanted == DeviceKind::Auto) {
    // The emulation is for tests: nobody should train on it unasked.
    return status.usable && status.real ? DeviceKind::Cuda : DeviceKind::Cpu;
  }
  require(status.usable, ErrorCode::Device,
          "device 'cuda' cannot be used here: " + status.reason + "; allowed: 'auto', 'cpu'");
  return wanted;
}

std::unique_ptr<Device> makeDevice(DeviceKind kind, NetworkState& network, const DeviceSettings& settings) {
  if (chooseDevice(kind) == DeviceKind::Cpu) return makeCpuDevice(network, settings);
  return cudaLibrary()->makeDevice(network, settings);
}

}  // namespace espalier
