#include "base/memory.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/error.h"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
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

#if ESPALIER_HAS_MMAP
void* map(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}
#endif

#if defined(MADV_HUGEPAGE)
/// Rows of wide layers are fetched at random: with small pages the processor would look up an address for
/// each.
constexpr size_t kHugePage = size_t{2} << 20;

void* mapHugePages(size_t bytes) {
  auto* const start = static_cast<std::byte*>(map(bytes + kHugePage));
  const size_t past = reinterpret_cast<uintptr_t>(start) % kHugePage;
  const size_t before = past == 0 ? 0 : kHugePage - past;
  if (before > 0) munmap(start, before);
  // Whole pages: a system may have larger ones than 4 KB.
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t used = (bytes + page - 1) / page * page;
  if (kHugePage - before > used - bytes) munmap(start + before + used, kHugePage - before - (used - bytes));
  madvise(start + before, bytes, MADV_HUGEPAGE);  // advice: nothing is lost where it is not taken
  return start + before;
}
#endif

std::atomic<MemoryCount*>& countInUse() {
  static MemoryCount own;
  static std::atomic<MemoryCount*> count{&own};
  return count;
}

/// Counts bytes from before they are allocated, so that two threads cannot pass the limit together, until
/// they are kept or the allocation has failed.
class Reservation {
 public:
  explicit Reservation(size_t bytes) : count_(memoryCount()), bytes_(static_cast<int64_t>(bytes)) {
    const int64_t before = count_.bytes.fetch_add(bytes_, std::memory_order_relaxed);
    try {
      checkLimit(before, bytes_);
    } catch (...) {
      count_.bytes.fetch_sub(bytes_, std::memory_order_relaxed);
      throw;
    }
  }
  ~Reservation() {
    if (!kept_) count_.bytes.fetch_sub(bytes_, std::memory_order_relaxed);
  }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  void keep() { kept_ = true; }

  static void checkLimit(int64_t held, int64_t more) {
    const int64_t limit = memoryCount().limit.load(std::memory_order_relaxed);
    if (limit == 0 || held + more <= limit) return;
    throw Error(ErrorCode::Memory, std::to_string(more) + " bytes more would go beyond the limit of " +
                                       std::to_string(limit) + " bytes of native memory, of which " +
                                       std::to_string(held) + " are in use (see setNativeMemoryLimit)");
  }

 private:
  MemoryCount& count_;
  const int64_t bytes_;
  bool kept_ = false;
};

void* allocate(size_t bytes) {
#if ESPALIER_HAS_MMAP
  if (hasOwnPages(bytes)) {
#if defined(MADV_HUGEPAGE)
    if (bytes >= kHugePage) return mapHugePages(bytes);
#endif
    return map(bytes);
  }
#endif
  void* const memory = ::operator new(bytes, kAlignment);
  std::memset(memory, 0, bytes);
  return memory;
}

}  // namespace

MemoryCount& memoryCount() {
  return *countInUse().load(std::memory_order_relaxed);
}

void countMemoryIn(MemoryCount& count) {
  countInUse().store(&count, std::memory_order_relaxed);
}

void requireMemory(int64_t bytes) {
  Reservation::checkLimit(memoryCount().bytes.load(std::memory_order_relaxed), bytes);
}

void* allocateMemory(size_t bytes) {
  Reservation reservation(bytes);
  void* const memory = allocate(bytes);
  reservation.keep();
  return memory;
}

void freeMemory(void* memory, size_t bytes) noexcept {
  memoryCount().bytes.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
#if ESPALIER_HAS_MMAP
  if (hasOwnPages(bytes)) {
    munmap(memory, bytes);
    return;
  }
#endif
  ::operator delete(memory, kAlignment);
}

}  // namespace espalier
