#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define ESPALIER_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ESPALIER_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef ESPALIER_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

// Saves the registers that a call keeps on the stack, and goes on with another stack.
extern "C" void espalierSwitchStacks(void** save, void* load);

#if defined(__x86_64__)
asm(R"(
.text
.globl espalierSwitchStacks
.hidden espalierSwitchStacks
.type espalierSwitchStacks, @function
espalierSwitchStacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size espalierSwitchStacks, .-espalierSwitchStacks
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl espalierSwitchStacks
.hidden espalierSwitchStacks
.type espalierSwitchStacks, %function
espalierSwitchStacks:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x2, sp
  str x2, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size espalierSwitchStacks, .-espalierSwitchStacks
)");
#else
#error "the emulation of CUDA knows how to switch stacks on x86-64 and AArch64 only"
#endif

namespace espalier::emulation {
namespace {

constexpr size_t kStackBytes = size_t{256} << 10;
constexpr size_t kGuardBytes = size_t{64} << 10;

#if defined(__x86_64__)
constexpr size_t kSavedWords = 8;
constexpr size_t kReturnWord = 6;
#else
constexpr size_t kSavedWords = 20;
constexpr size_t kReturnWord = 11;
#endif

#ifdef ESPALIER_ADDRESS_SANITIZER
// Who left for the fiber that runs now. Fibers run under the card's lock, so one is enough.
struct Leaving {
  const void** bottom;
  size_t* size;
} leaving{};
#endif

}  // namespace

Fiber::Fiber(void (*entry)()) {
  void* memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kGuardBytes, PROT_NONE) != 0) throw std::bad_alloc();
  mapping_ = static_cast<std::byte*>(memory);
  bottom_ = mapping_ + kGuardBytes;
  size_ = kStackBytes;
  auto** top = reinterpret_cast<void**>(mapping_ + kGuardBytes + kStackBytes);
  void** saved = top - kSavedWords;
  saved[kReturnWord] = reinterpret_cast<void*>(entry);
  stackPointer_ = saved;
}

Fiber::~Fiber() {
  if (mapping_ != nullptr) munmap(mapping_, kGuardBytes + kStackBytes);
}

void Fiber::switchTo(Fiber& other) {
#ifdef ESPALIER_ADDRESS_SANITIZER
  leaving = {&bottom_, &size_};
  __sanitizer_start_switch_fiber(&fakeStack_, other.bottom_, other.size_);
#endif
  espalierSwitchStacks(&stackPointer_, other.stackPointer_);
#ifdef ESPALIER_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(fakeStack_, leaving.bottom, leaving.size);
#endif
}

void Fiber::arrived() {
#ifdef ESPALIER_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(nullptr, leaving.bottom, leaving.size);
#endif
}

}  // namespace espalier::emulation
