#include "block.h"

#include <algorithm>
#include <bit>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <vector>

#include "environment.h"
#include "fiber.h"
#include "random.h"
#include "symbols.h"
#include "thread.h"

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace espalier::emulation {
namespace {

void serveThreads();

/// The card's one multiprocessor: holds the block that runs now.
class Block {
 public:
  void run(const Launch& launch) {
    launch_ = &launch;
    gridDim = launch.blocks;
    blockDim = launch.threads;
    void* memory = nullptr;
    if (launch.sharedBytes > 0 && posix_memalign(&memory, 128, launch.sharedBytes) != 0) {
      throw std::bad_alloc();
    }
    const std::unique_ptr<void, decltype(&std::free)> shared(memory, std::free);
    shared_ = memory;
    std::vector<uint64_t> order(uint64_t{launch.blocks.x} * launch.blocks.y * launch.blocks.z);
    std::iota(order.begin(), order.end(), uint64_t{0});
    for (size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[random_.below(static_cast<uint32_t>(i))]);
    }
    for (const uint64_t number : order) {
      const uint64_t plane = number / launch.blocks.x;
      blockIdx = {static_cast<unsigned>(number % launch.blocks.x),
                  static_cast<unsigned>(plane % launch.blocks.y),
                  static_cast<unsigned>(plane / launch.blocks.y)};
      runBlock();
    }
    shared_ = nullptr;
    launch_ = nullptr;
  }

  /// What a fiber does: one thread after the other.
  void serve() {
    for (;;) {
      Fiber& self = *current_->fiber;
      launch_->body();
      Thread* next = leave();
      if (next != nullptr && next->fiber == nullptr) {
        next->fiber = &self;
        show(*next);
        continue;
      }
      idle_.push_back(&self);
      if (next == nullptr) {
        current_ = nullptr;
        self.switchTo(host_);
      } else {
        show(*next);
        self.switchTo(*next->fiber);
      }
    }
  }

  void meetBlock(Place place) {
    Thread& thread = *current_;
    if (atBarrier_ > 0 && !samePlace(place, barrier_)) {
      fail("__syncthreads() is reached in %s:%d by this thread and in %s:%d by others", place.file,
           place.line, barrier_.file, barrier_.line);
    }
    barrier_ = place;
    thread.atBarrier = true;
    thread.barrier = place;
    ++atBarrier_;
    if (!openBarrier(&thread)) wait();
  }

  void meetWarp(const Meeting& meeting) {
    Thread& thread = *current_;
    Warp& warp = warps_[thread.number / kWarpSize];
    const uint32_t bit = uint32_t{1} << thread.lane();
    if ((meeting.mask & bit) == 0) {
      fail("%s with mask %08x, which leaves the calling lane %u out", meeting.name, meeting.mask,
           thread.lane());
    }
    Group& group = join(warp, meeting);
    thread.meeting = meeting;
    thread.atMeeting = true;
    group.arrived |= bit;
    if (!complete(warp, group, thread.number - thread.lane(), &thread)) wait();
  }

  void yieldAtTimes() {
    if ((random_.bits() & 7) != 0 || runnable_.empty()) return;
    runnable_.push_back(current_);
    std::swap(runnable_[random_.below(static_cast<uint32_t>(runnable_.size()))], runnable_.back());
    wait();
  }

  Thread& current() { return *current_; }
  bool running() const { return current_ != nullptr; }
  const void* kernel() const { return launch_->kernel; }
  OrderRandom& random() { return random_; }
  std::byte* shared() { return static_cast<std::byte*>(shared_); }
  size_t sharedBytes() const { return launch_->sharedBytes; }

 private:
  void runBlock() {
    if (shared_ != nullptr) std::memset(shared_, 0xFF, launch_->sharedBytes);
    for (const Variable& variable : sharedVariables()) std::memset(variable.address, 0xFF, variable.bytes);
    const dim3 shape = launch_->threads;
    const uint32_t threads = shape.x * shape.y * shape.z;
    if (threads_.size() < threads) threads_.resize(threads);
    warps_.resize((threads + kWarpSize - 1) / kWarpSize);
    for (Warp& warp : warps_) warp.ended = warp.waiting = 0;
    if (threads % kWarpSize != 0) warps_.back().ended = ~uint32_t{0} << (threads % kWarpSize);
    runnable_.clear();
    uint32_t number = 0;
    for (unsigned z = 0; z < shape.z; ++z) {
      for (unsigned y = 0; y < shape.y; ++y) {
        for (unsigned x = 0; x < shape.x; ++x, ++number) {
          Thread& thread = threads_[number];
          thread.index = {x, y, z};
          thread.number = number;
          thread.fiber = nullptr;
          thread.atBarrier = thread.atMeeting = false;
          thread.copies.clear();
          thread.groups = 0;
          runnable_.push_back(&thread);
        }
      }
    }
    alive_ = threads;
    atBarrier_ = 0;
    newestFirst_ = (random_.bits() & 3) == 0;
    if (newestFirst_) {
      for (uint32_t i = threads; i > 1; --i) std::swap(runnable_[i - 1], runnable_[random_.below(i)]);
    }
    Thread& first = *take();
    begin(first);
    host_.switchTo(*first.fiber);
  }

  /// The next thread to run; null where none can.
  Thread* take() {
    if (runnable_.empty()) return nullptr;
    if (!newestFirst_) {
      std::swap(runnable_[random_.below(static_cast<uint32_t>(runnable_.size()))], runnable_.back());
    }
    Thread* thread = runnable_.back();
    runnable_.pop_back();
    return thread;
  }

  void show(Thread& thread) {
    current_ = &thread;
    threadIdx = thread.index;
  }

  void begin(Thread& thread) {
    if (thread.fiber == nullptr) {
      if (idle_.empty()) {
        fibers_.push_back(std::make_unique<Fiber>(&serveThreads));
        idle_.push_back(fibers_.back().get());
      }
      thread.fiber = idle_.back();
      idle_.pop_back();
    }
    show(thread);
  }

  /// Lets others run until this thread can go on.
  void wait() {
    Thread& self = *current_;
    Thread* next = take();
    if (next == nullptr) reportDeadlock();
    if (next == &self) return;
    begin(*next);
    self.fiber->switchTo(*next->fiber);
  }

  /// The current thread has ended. Returns who comes next, null where all have ended.
  Thread* leave() {
    --alive_;
    Warp& warp = warps_[current_->number / kWarpSize];
    warp.ended |= uint32_t{1} << current_->lane();
    // Backwards, because a group that is complete goes, and the last one takes its place.
    for (uint32_t i = warp.waiting; i > 0; --i) {
      complete(warp, warp.groups[i - 1], current_->number - current_->lane(), nullptr);
    }
    if (atBarrier_ > 0) openBarrier(nullptr);
    Thread* next = take();
    if (next == nullptr && alive_ > 0) reportDeadlock();
    return next;
  }

  /// Lets all threads go on if all are at the barrier; `self` runs already.
  bool openBarrier(const Thread* self) {
    if (atBarrier_ < alive_) return false;
    atBarrier_ = 0;
    const uint32_t threads =
        static_cast<uint32_t>(launch_->threads.x * launch_->threads.y * launch_->threads.z);
    for (uint32_t i = 0; i < threads; ++i) {
      Thread& thread = threads_[i];
      if (!thread.atBarrier) continue;
      thread.atBarrier = false;
      if (&thread != self) runnable_.push_back(&thread);
    }
    return true;
  }

  /// The group of this meeting, a new one where nobody waits at it.
  Group& join(Warp& warp, const Meeting& meeting) {
    for (uint32_t i = 0; i < warp.waiting; ++i) {
      Group& group = warp.groups[i];
      if (group.mask != meeting.mask) continue;
      const Meeting& theirs = group.meeting;
      if (theirs.complete != meeting.complete || !samePlace(theirs.place, meeting.place)) {
        fail("lane %u is at %s in %s:%d while lanes %08x wait at %s in %s:%d, all with mask %08x",
             current_->lane(), meeting.name, meeting.place.file, meeting.place.line, group.arrived,
             theirs.name, theirs.place.file, theirs.place.line, meeting.mask);
      }
      return group;
    }
    Group& group = warp.groups[warp.waiting++];
    group = {meeting.mask, 0, meeting};
    return group;
  }

  /// Completes the group's meeting if all lanes are there; `self` runs already. first: the warp's first
  /// thread.
  bool complete(Warp& warp, Group& group, uint32_t first, const Thread* self) {
    const uint32_t lanes = group.mask & ~warp.ended;
    if (group.arrived != lanes) return false;
    void* data[kWarpSize] = {};
    for (uint32_t open = lanes; open != 0; open &= open - 1) {
      Thread& thread = threads_[first + static_cast<uint32_t>(std::countr_zero(open))];
      data[thread.lane()] = thread.meeting.data;
      thread.atMeeting = false;
      if (&thread != self) runnable_.push_back(&thread);
    }
    const auto deed = group.meeting.complete;
    group = warp.groups[--warp.waiting];
    deed(data);
    return true;
  }

  [[noreturn]] void reportDeadlock() {
    std::fprintf(
        stderr, "CUDA emulation: no thread of block (%u, %u, %u) of %s can go on; %u of %u have not ended:\n",
        blockIdx.x, blockIdx.y, blockIdx.z, kernelName(launch_->kernel).c_str(), alive_,
        blockDim.x * blockDim.y * blockDim.z);
    const uint32_t threads = blockDim.x * blockDim.y * blockDim.z;
    for (uint32_t i = 0; i < threads; ++i) {
      const Thread& thread = threads_[i];
      const uint3 at = thread.index;
      if (thread.atBarrier) {
        std::fprintf(stderr, "  thread (%u, %u, %u) waits at __syncthreads() in %s:%d\n", at.x, at.y, at.z,
                     thread.barrier.file, thread.barrier.line);
      } else if (thread.atMeeting) {
        const Warp& warp = warps_[i / kWarpSize];
        uint32_t arrived = 0;
        for (uint32_t k = 0; k < warp.waiting; ++k) {
          if (warp.groups[k].mask == thread.meeting.mask) arrived = warp.groups[k].arrived;
        }
        std::fprintf(stderr, "  thread (%u, %u, %u) waits at %s in %s:%d for lanes %08x of mask %08x\n", at.x,
                     at.y, at.z, thread.meeting.name, thread.meeting.place.file, thread.meeting.place.line,
                     thread.meeting.mask & ~warp.ended & ~arrived, thread.meeting.mask);
      }
    }
    std::abort();
  }

  const Launch* launch_ = nullptr;
  void* shared_ = nullptr;
  Fiber host_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<Thread*> runnable_;
  Thread* current_ = nullptr;
  uint32_t alive_ = 0;
  uint32_t atBarrier_ = 0;
  Place barrier_{};
  bool newestFirst_ = false;
  OrderRandom random_{environment().seed};
};

Block& block() {
  static Block block;
  return block;
}

void serveThreads() {
  Fiber::arrived();
  block().serve();
}

}  // namespace

void runLaunch(const Launch& launch) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  block().run(launch);
}

void meetBlock(Place place) {
  block().meetBlock(place);
}

void meetWarp(const Meeting& meeting) {
  block().meetWarp(meeting);
}

uint32_t laneNumber() {
  return block().current().lane();
}

void yieldAtTimes() {
  block().yieldAtTimes();
}

uint32_t orderBits() {
  return block().random().bits();
}

void* dynamicSharedMemory() {
  if (block().shared() == nullptr) fail("the launch asked for no dynamic shared memory");
  return block().shared();
}

bool isDynamicShared(const void* address, size_t bytes) {
  const auto* at = static_cast<const std::byte*>(address);
  const std::byte* begin = block().shared();
  return begin != nullptr && at >= begin && at + bytes <= begin + block().sharedBytes();
}

void copyLater(void* to, const void* from) {
  Thread& thread = block().current();
  const Copy copy{to, from, thread.groups};
  if ((orderBits() & 1) != 0) {
    carryOut(copy);
  } else {
    // Undefined until it is waited for.
    std::memset(to, 0xFF, 16);
    thread.copies.push_back(copy);
  }
}

void commitCopies() {
  ++block().current().groups;
}

void completeCopies(int left) {
  Thread& thread = block().current();
  std::erase_if(thread.copies, [&](const Copy& copy) {
    if (copy.group >= thread.groups - left) return false;
    carryOut(copy);
    return true;
  });
}

void fail(const char* format, ...) {
  std::fputs("CUDA emulation: ", stderr);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  if (block().running()) {
    std::fprintf(stderr, "\n  in block (%u, %u, %u), thread (%u, %u, %u) of %s", blockIdx.x, blockIdx.y,
                 blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z, kernelName(block().kernel()).c_str());
  }
  std::fputs("\n", stderr);
  std::abort();
}

}  // namespace espalier::emulation
