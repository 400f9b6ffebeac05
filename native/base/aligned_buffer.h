#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "base/error.h"

namespace espalier {

/// A zeroed array on a 64-byte boundary. Its capacity is a whole number of cache lines, so that a kernel may
/// load and store the last vector whole.
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr int64_t kAlignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(int64_t size)
      : size_(size), bytes_(roundUp(checkedProduct(size, sizeof(T)), kAlignment)) {
    if (bytes_ == 0) return;
    void* memory = ::operator new(static_cast<size_t>(bytes_), std::align_val_t(kAlignment), std::nothrow);
    require(memory != nullptr, ErrorCode::Memory, "could not allocate " + std::to_string(bytes_) + " bytes");
    std::memset(memory, 0, static_cast<size_t>(bytes_));
    data_.reset(static_cast<T*>(memory));
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  int64_t size() const { return size_; }
  /// Bytes allocated.
  int64_t bytes() const { return bytes_; }
  bool empty() const { return size_ == 0; }
  T& operator[](int64_t i) { return data_.get()[i]; }
  const T& operator[](int64_t i) const { return data_.get()[i]; }
  std::span<T> span() { return {data(), static_cast<size_t>(size_)}; }
  std::span<const T> span() const { return {data(), static_cast<size_t>(size_)}; }
  void clear() {
    if (bytes_ != 0) std::memset(data(), 0, static_cast<size_t>(bytes_));
  }

 private:
  struct Deleter {
    void operator()(T* memory) const { ::operator delete(memory, std::align_val_t(kAlignment)); }
  };
  std::unique_ptr<T[], Deleter> data_;
  int64_t size_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace espalier
