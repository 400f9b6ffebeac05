#pragma once

#include <cstdint>
#include <functional>

#include "vector_types.h"

namespace espalier::emulation {

/// A line of the kernel.
struct Place {
  const char* file;
  int line;
};

/// A kernel with its arguments and shape.
struct Launch {
  dim3 blocks;
  dim3 threads;
  size_t sharedBytes = 0;
  std::function<void()> body;
  /// Its function, to tell its name.
  const void* kernel = nullptr;
};

/// Runs every block of a launch. One launch runs at a time.
void runLaunch(const Launch& launch);

// What kernels call.

/// Waits until every thread of the block that has not ended is here.
void meetBlock(Place place);

/// What lanes of a warp do together. complete() is called once, when all lanes of the mask that have not
/// ended are here; data[l] is what lane l brought, or null where lane l does not take part.
struct Meeting {
  const char* name;
  uint32_t mask;
  void (*complete)(void* const* data);
  void* data;
  Place place;
};
void meetWarp(const Meeting& meeting);

/// This thread's lane.
uint32_t laneNumber();

/// Lets other threads run, at times.
void yieldAtTimes();

/// Random bits of the order in which things happen.
uint32_t orderBits();

/// The block's dynamic shared memory.
void* dynamicSharedMemory();
bool isDynamicShared(const void* address, size_t bytes);

/// Copies 16 bytes at some moment until completeCopies(), or sets them to 0 where `from` is null.
void copyLater(void* to, const void* from);
void commitCopies();
/// Until at most so many of the committed groups are left.
void completeCopies(int left);

/// Ends the process with a message that names the thread that runs now.
[[noreturn]] [[gnu::format(printf, 1, 2)]] void fail(const char* format, ...);

}  // namespace espalier::emulation

extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
