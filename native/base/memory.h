#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <vector>

namespace espalier {

/// Zeroed memory on a 64-byte boundary (more for large blocks). Large blocks come straight from the operating
/// system and go straight back, so that what a rewiring needs for a moment does not stay with the process.
/// Throws std::bad_alloc.
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
