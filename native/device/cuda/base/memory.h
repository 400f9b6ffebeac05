#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "device/cuda/base/check.h"
#include "device/cuda/base/stream.h"

namespace espalier::cuda {

/// Memory of the card for one network, in the order of its stream: what was freed is taken again without
/// waiting for the host. Counts what is in use.
class DeviceMemory {
 public:
  /// The stream must outlive it.
  explicit DeviceMemory(const Stream& stream);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  /// Aligned to 256 bytes, not cleared. Throws Error(Memory) with the bytes asked for and those free; nothing
  /// else is lost then.
  void* allocate(int64_t bytes);
  void free(void* memory, int64_t bytes) noexcept;

  const Stream& stream() const { return stream_; }
  int64_t used() const { return used_; }
  /// The most that was in use at once.
  int64_t peak() const { return peak_; }

 private:
  const Stream& stream_;
  cudaMemPool_t pool_ = nullptr;
  int64_t used_ = 0;
  int64_t peak_ = 0;
};

/// An array on the card. Not cleared when it is made.
template <typename T>
class DeviceBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  DeviceBuffer() = default;
  DeviceBuffer(DeviceMemory& memory, int64_t size) : memory_(&memory), size_(size) {
    if (size > 0) data_ = static_cast<T*>(memory.allocate(checkedProduct(size, sizeof(T))));
  }
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~DeviceBuffer() {
    if (data_ != nullptr) memory_->free(data_, bytes());
  }

  /// Null where it is empty. The pointer to const comes from a const buffer.
  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return size_; }
  int64_t bytes() const { return size_ * static_cast<int64_t>(sizeof(T)); }
  bool empty() const { return size_ == 0; }

  /// Queues a copy from the host, which must stay as it is until the stream has come there: cards that read
  /// the host's memory themselves do not always copy it aside first.
  void upload(std::span<const T> from) {
    require(static_cast<int64_t>(from.size()) == size_, ErrorCode::Internal, "an upload of another size");
    if (size_ == 0) return;
    check(cudaMemcpyAsync(data_, from.data(), from.size_bytes(), cudaMemcpyHostToDevice,
                          memory_->stream().get()),
          "copy to the GPU");
  }
  /// Copies as many numbers as `to` holds, from the first on, to the host and waits for them.
  void download(std::span<T> to) const {
    require(static_cast<int64_t>(to.size()) <= size_, ErrorCode::Internal, "a download beyond its array");
    if (to.empty()) return;
    check(cudaMemcpyAsync(to.data(), data_, to.size_bytes(), cudaMemcpyDeviceToHost, memory_->stream().get()),
          "copy from the GPU");
    memory_->stream().synchronize();
  }
  /// Queues a copy of another array of the same size.
  void copyFrom(const DeviceBuffer& other) {
    require(other.size_ == size_, ErrorCode::Internal, "a copy of another size");
    if (size_ == 0) return;
    check(cudaMemcpyAsync(data_, other.data_, static_cast<size_t>(bytes()), cudaMemcpyDeviceToDevice,
                          memory_->stream().get()),
          "copy on the GPU");
  }
  /// Queues setting every byte to 0.
  void clear() {
    if (size_ == 0) return;
    check(cudaMemsetAsync(data_, 0, static_cast<size_t>(bytes()), memory_->stream().get()),
          "clear memory of the GPU");
  }

 private:
  DeviceMemory* memory_ = nullptr;
  T* data_ = nullptr;
  int64_t size_ = 0;
};

/// An array on the host that the card reads and writes directly, at the same address. Zeroed.
template <typename T>
class PinnedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  PinnedBuffer() = default;
  explicit PinnedBuffer(int64_t size) : size_(size) {
    if (size == 0) return;
    const auto bytes = static_cast<size_t>(checkedProduct(size, sizeof(T)));
    void* memory = nullptr;
    const auto turn = captureTurn();
    check(cudaHostAlloc(&memory, bytes, cudaHostAllocMapped), "pin memory of the host");
    data_ = static_cast<T*>(memory);
    for (int64_t i = 0; i < size; ++i) data_[i] = T{};
  }
  PinnedBuffer(PinnedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~PinnedBuffer() {
    if (data_ == nullptr) return;
    const auto turn = captureTurn();
    cudaFreeHost(data_);
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return size_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace espalier::cuda
