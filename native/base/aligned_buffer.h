#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "base/error.h"
#include "base/memory.h"

namespace espalier {

/// A zeroed array on a 64-byte boundary. Its capacity is a whole number of cache lines, so that a kernel may
/// load and store the last vector whole.
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(int64_t size) : size_(size), bytes_(roundUp(checkedProduct(size, sizeof(T)), 64)) {
    if (bytes_ == 0) return;
    try {
      data_ = {static_cast<T*>(allocateMemory(static_cast<size_t>(bytes_))), Deleter{bytes_}};
    } catch (const std::bad_alloc&) {
      throw Error(ErrorCode::Memory, "could not allocate " + std::to_string(bytes_) + " bytes");
    }
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
    int64_t bytes = 0;
    void operator()(T* memory) const { freeMemory(memory, static_cast<size_t>(bytes)); }
  };
  std::unique_ptr<T[], Deleter> data_;
  int64_t size_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace espalier
