#include "base/memory.h"

#include <cstring>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#define ESPALIER_HAS_MMAP 1
#else
#define ESPALIER_HAS_MMAP 0
#endif

namespace espalier {
namespace {

constexpr std::align_val_t kAlignment{64};

/// From here on a block gets pages of its own.
constexpr size_t kLargeBlock = size_t{1} << 20;

bool hasOwnPages(size_t bytes) {
  return ESPALIER_HAS_MMAP && bytes >= kLargeBlock;
}

}  // namespace

void* allocateMemory(size_t bytes) {
#if ESPALIER_HAS_MMAP
  if (hasOwnPages(bytes)) {
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return memory;
  }
#endif
  void* const memory = ::operator new(bytes, kAlignment);
  std::memset(memory, 0, bytes);
  return memory;
}

void freeMemory(void* memory, size_t bytes) noexcept {
#if ESPALIER_HAS_MMAP
  if (hasOwnPages(bytes)) {
    munmap(memory, bytes);
    return;
  }
#endif
  ::operator delete(memory, kAlignment);
}

}  // namespace espalier
