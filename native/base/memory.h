#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <vector>

namespace espalier {

/// What allocateMemory() has given and not got back, and what it may give.
struct MemoryCount {
  std::atomic<int64_t> bytes{0};
  /// 0: as much as there is.
  std::atomic<int64_t> limit{0};
};

/// The one of the process: every environment's networks are in it, since they share one memory.
MemoryCount& memoryCount();

/// For a copy of this code in another library: counts there from now on, and not here.
void countMemoryIn(MemoryCount& count);

/// Throws Error(Memory) where so many bytes more would go beyond the limit.
void requireMemory(int64_t bytes);

/// Zeroed memory on a 64-byte boundary (more for large blocks). Large blocks come straight from the operating
/// system and go straight back, so that what a rewiring needs for a moment does not stay with the process.
/// Throws std::bad_alloc, and what requireMemory() throws.
void* allocateMemory(size_t bytes);
void freeMemory(void* memory, size_t bytes) noexcept;

/// Lets a std::vector live in such memory.
template <typename T>
struct MemoryAllocator {
  using value_type = T;

  MemoryAllocator() = default;
  template <typename U>
  MemoryAllocator(const MemoryAllocator<U>&) {}  // NOLINT: conversions are part of an allocator

  T* allocate(size_t count) {
    if (count > std::numeric_limits<size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(allocateMemory(count * sizeof(T)));
  }
  void deallocate(T* memory, size_t count) noexcept { freeMemory(memory, count * sizeof(T)); }
  bool operator==(const MemoryAllocator&) const { return true; }
};

/// A vector for what grows with the number of connections.
template <typename T>
using Array = std::vector<T, MemoryAllocator<T>>;

}  // namespace espalier
