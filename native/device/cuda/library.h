#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "device/device.h"

namespace espalier::cuda {

/// What the CUDA library finds on this machine.
struct Status {
  bool usable = false;
  /// Why not, in one line; empty where usable.
  std::string reason;
  /// The card; empty where there is none.
  std::string card;
  /// Compute capability x 10.
  int capability = 0;
  int64_t memoryBytes = 0;
  int64_t freeBytes = 0;
  int multiprocessors = 0;
  /// Versions as CUDA writes them, 13000 for 13.0; 0 where there is none.
  int driver = 0;
  int runtime = 0;
  /// False for the emulation that tests run on the processor.
  bool real = true;
};

/// The shared library's one door. Both sides are built from the same sources by the same compiler; the number
/// guards against a library that lies about from another build.
struct Library {
  int64_t version = 0;
  Status (*status)() = nullptr;
  std::unique_ptr<Device> (*makeDevice)(NetworkState& network, const DeviceSettings& settings) = nullptr;
  /// What one side allocates of a network, the other may free.
  void (*countMemoryIn)(MemoryCount& count) = nullptr;
};

/// Raised whenever anything that crosses the door changes: Device, NetworkState, Status, Library,
/// MemoryCount.
inline constexpr int64_t kLibraryVersion = 2;

inline constexpr const char* kLibraryEntry = "espalierCudaLibrary";
using LibraryEntry = const Library* (*)();

}  // namespace espalier::cuda
