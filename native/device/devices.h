#pragma once

#include <memory>

#include "device/device.h"

namespace espalier {

enum class DeviceKind { Auto, Cpu, Cuda };

/// Cpu or Cuda. Auto is CUDA where it is usable on a real card, else the processor. Throws Error(Device) with
/// the reason where CUDA is asked for and not usable.
DeviceKind chooseDevice(DeviceKind wanted);

/// A device of this kind, chosen as above, that works on the network. Throws what the devices throw:
/// Error(Memory), Error(Device).
std::unique_ptr<Device> makeDevice(DeviceKind kind, NetworkState& network, const DeviceSettings& settings);

}  // namespace espalier
