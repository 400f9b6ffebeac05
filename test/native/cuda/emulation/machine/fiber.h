#pragma once

#include <cstddef>

namespace espalier::emulation {

/// A stack that code can run on and be left in the middle. Made once and used for one CUDA thread after
/// another.
class Fiber {
 public:
  /// The stack of whoever runs now, to come back to.
  Fiber() = default;
  /// `entry` starts on a stack of its own at the first switch, and never returns.
  explicit Fiber(void (*entry)());
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Leaves this fiber, which runs now, for another one. Returns when somebody switches back.
  void switchTo(Fiber& other);
  /// To be called first by `entry`.
  static void arrived();

 private:
  void* stackPointer_ = nullptr;
  /// With the guard page below it.
  std::byte* mapping_ = nullptr;
  // What AddressSanitizer wants to know of a stack.
  const void* bottom_ = nullptr;
  size_t size_ = 0;
  [[maybe_unused]] void* fakeStack_ = nullptr;
};

}  // namespace espalier::emulation
