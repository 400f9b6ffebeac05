#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "block.h"
#include "environment.h"
#include "runtime.h"

struct CUmemPoolHandle_st {};

namespace espalier::emulation {
namespace {

enum class Kind { Card, Pinned };

/// What lies before and after an allocation is poisoned like memory that was not written. Not under
/// AddressSanitizer, which knows better where an allocation ends.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kMargin = 0;
#else
constexpr size_t kMargin = 1024;
#endif

/// Every allocation of the process; safe to use from many threads.
class Account {
 public:
  cudaError_t allocate(void** memory, size_t bytes, Kind kind) {
    const std::lock_guard lock(mutex_);
    if (kind == Kind::Card && bytes > environment().memoryBytes - used_) return cudaErrorMemoryAllocation;
    // Exactly as big as asked, so that AddressSanitizer sees what goes beyond.
    void* all = nullptr;
    if (posix_memalign(&all, 256, bytes + 2 * kMargin) != 0) return cudaErrorMemoryAllocation;
    std::memset(all, 0xFF, bytes + 2 * kMargin);
    *memory = static_cast<char*>(all) + kMargin;
    blocks_[reinterpret_cast<uintptr_t>(*memory)] = {bytes, kind};
    if (kind == Kind::Card) used_ += bytes;
    return cudaSuccess;
  }

  cudaError_t release(void* memory, Kind kind) {
    if (memory == nullptr) return cudaSuccess;
    const std::lock_guard lock(mutex_);
    const auto block = blocks_.find(reinterpret_cast<uintptr_t>(memory));
    if (block == blocks_.end() || block->second.kind != kind) return cudaErrorInvalidValue;
    if (kind == Kind::Card) used_ -= block->second.bytes;
    std::memset(memory, 0xFF, block->second.bytes);
    blocks_.erase(block);
    std::free(static_cast<char*>(memory) - kMargin);
    return cudaSuccess;
  }

  bool holds(const void* memory, size_t bytes, Kind kind) {
    const std::lock_guard lock(mutex_);
    const auto address = reinterpret_cast<uintptr_t>(memory);
    auto block = blocks_.upper_bound(address);
    if (block == blocks_.begin()) return false;
    --block;
    return block->second.kind == kind && address + bytes <= block->first + block->second.bytes;
  }

  size_t used() {
    const std::lock_guard lock(mutex_);
    return used_;
  }

 private:
  struct Allocation {
    size_t bytes;
    Kind kind;
  };
  std::mutex mutex_;
  std::map<uintptr_t, Allocation> blocks_;
  size_t used_ = 0;
};

Account& account() {
  static Account account;
  return account;
}

bool captures(cudaStream_t stream) {
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  cudaStreamIsCapturing(stream, &capture);
  return capture != cudaStreamCaptureStatusNone;
}

cudaError_t allocateInOrder(void** memory, size_t bytes, cudaStream_t stream) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  // CUDA would make the memory a part of the graph, which nobody here means.
  if (captures(stream)) return remember(cudaErrorStreamCaptureUnsupported);
  if (memory == nullptr || bytes == 0) return remember(cudaErrorInvalidValue);
  if (account().allocate(memory, bytes, Kind::Card) == cudaSuccess) return cudaSuccess;
  // What the stream frees before this is free.
  finishStream(stream);
  return remember(account().allocate(memory, bytes, Kind::Card));
}

}  // namespace

bool isCardMemory(const void* memory, size_t bytes) {
  return account().holds(memory, bytes, Kind::Card) || isPinned(memory, bytes);
}

bool isPinned(const void* memory, size_t bytes) {
  return account().holds(memory, bytes, Kind::Pinned);
}

void requireCardMemory(const void* memory, size_t bytes, const char* what) {
  if (bytes == 0 || isCardMemory(memory, bytes)) return;
  fail("%s: %zu bytes at %p are not memory of the card", what, bytes, memory);
}

}  // namespace espalier::emulation

using namespace espalier::emulation;

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  if (memory == nullptr) return remember(cudaErrorInvalidValue);
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  return remember(account().allocate(memory, bytes, Kind::Card));
}

cudaError_t cudaFree(void* memory) {
  finishAllStreams();
  return remember(account().release(memory, Kind::Card));
}

cudaError_t cudaMallocAsync(void** memory, size_t bytes, cudaStream_t stream) {
  return allocateInOrder(memory, bytes, stream);
}

cudaError_t cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
  if (pool == nullptr) return remember(cudaErrorInvalidValue);
  return allocateInOrder(memory, bytes, stream);
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  if (captures(stream)) return remember(cudaErrorStreamCaptureUnsupported);
  if (memory == nullptr || !isCardMemory(memory, 0)) return remember(cudaErrorInvalidValue);
  if (enqueue(stream, [=] { account().release(memory, Kind::Card); }) != cudaSuccess) {
    // The card is lost, and the memory with it.
    account().release(memory, Kind::Card);
  }
  return remember(cardState());
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  if (memory == nullptr || bytes == 0) return remember(cudaErrorInvalidValue);
  return remember(account().allocate(memory, bytes, Kind::Pinned));
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  return cudaHostAlloc(memory, bytes, 0);
}

cudaError_t cudaFreeHost(void* memory) {
  return remember(account().release(memory, Kind::Pinned));
}

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  if (!isPinned(host, 1)) return remember(cudaErrorInvalidValue);
  *device = host;
  return cudaSuccess;
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  if (properties->allocType != cudaMemAllocationTypePinned ||
      properties->location.type != cudaMemLocationTypeDevice) {
    return remember(cudaErrorInvalidValue);
  }
  *pool = new CUmemPoolHandle_st;
  return cudaSuccess;
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  delete pool;
  return cudaSuccess;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
  return remember(cardState());
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) {
  return remember(cardState());
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  finishAllStreams();
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  *total = environment().memoryBytes;
  *free = *total - account().used();
  return cudaSuccess;
}

namespace {

/// Whether the addresses lie where the kind says. Memory of the host that is not the card's is not known.
bool fits(const void* to, size_t toBytes, const void* from, size_t fromBytes, cudaMemcpyKind kind) {
  const bool toCard = isCardMemory(to, 1) && !isPinned(to, 1);
  const bool fromCard = isCardMemory(from, 1) && !isPinned(from, 1);
  if (toCard && !isCardMemory(to, toBytes)) return false;
  if (fromCard && !isCardMemory(from, fromBytes)) return false;
  if (kind == cudaMemcpyHostToDevice) return isCardMemory(to, toBytes) && !fromCard;
  if (kind == cudaMemcpyDeviceToHost) return !toCard && isCardMemory(from, fromBytes);
  if (kind == cudaMemcpyDeviceToDevice) return isCardMemory(to, toBytes) && isCardMemory(from, fromBytes);
  return kind == cudaMemcpyDefault || (!toCard && !fromCard);
}

}  // namespace

namespace {

cudaError_t copyRows(void* to, size_t toPitch, const void* from, size_t fromPitch, size_t width,
                     size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  if (width == 0 || height == 0) return remember(cardState());
  const size_t toBytes = (height - 1) * toPitch + width;
  const size_t fromBytes = (height - 1) * fromPitch + width;
  if (width > toPitch || width > fromPitch || !fits(to, toBytes, from, fromBytes, kind)) {
    return remember(cudaErrorInvalidValue);
  }
  const auto copy = [=](const char* source) {
    for (size_t row = 0; row < height; ++row) {
      std::memmove(static_cast<char*>(to) + row * toPitch, source + row * fromPitch, width);
    }
  };
  const auto* bytes = static_cast<const char*>(from);
  const cudaError_t status = enqueue(stream, [=] { copy(bytes); });
  // What is not pinned has been written before this returns, but is read when its turn comes: CUDA promises
  // neither to copy it aside nor to leave that.
  if (status == cudaSuccess && !isCardMemory(to, toBytes) && !captures(stream)) finishStream(stream);
  return status;
}

}  // namespace

cudaError_t cudaMemcpy2DAsync(void* to, size_t toPitch, const void* from, size_t fromPitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  if (toPitch > kLargestPitch || fromPitch > kLargestPitch) return remember(cudaErrorInvalidValue);
  return copyRows(to, toPitch, from, fromPitch, width, height, kind, stream);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return copyRows(to, bytes, from, bytes, bytes, 1, kind, stream);
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  const cudaError_t status = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  finishStream(nullptr);
  return status;
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return remember(cardState());
  if (!isCardMemory(memory, bytes)) return remember(cudaErrorInvalidValue);
  return enqueue(stream, [=] { std::memset(memory, value, bytes); });
}

cudaError_t cudaMemset(void* memory, int value, size_t bytes) {
  const cudaError_t status = cudaMemsetAsync(memory, value, bytes, nullptr);
  finishStream(nullptr);
  return status;
}
