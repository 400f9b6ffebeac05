#pragma once

#include <cstddef>
#include <functional>

#include "runtime_api.h"

namespace espalier::emulation {

// What the parts of the emulated runtime and libraries share.

/// Of copies of rows, in bytes: so little that tests come to it.
inline constexpr size_t kLargestPitch = 1024;

/// Keeps a failure for cudaGetLastError(), and returns it.
cudaError_t remember(cudaError_t error);

/// cudaSuccess, or the error that every call gives after the card is lost.
cudaError_t cardState();
/// Counts a launch; cardState().
cudaError_t countLaunch();

/// Queues work on a stream, or records it while the stream captures. It is done when somebody waits for the
/// stream, or earlier.
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);
/// Does everything that is queued.
void finishStream(cudaStream_t stream);
void finishAllStreams();
/// Likewise, as cudaDeviceSynchronize() does: whatever any thread captures meanwhile is spoilt.
void waitForCard();

/// Whether the bytes lie in memory that was allocated for the card, or is pinned.
bool isCardMemory(const void* memory, size_t bytes);
bool isPinned(const void* memory, size_t bytes);
/// Ends the process with a message unless isCardMemory(); nothing is asked of 0 bytes.
void requireCardMemory(const void* memory, size_t bytes, const char* what);

}  // namespace espalier::emulation
