#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "block.h"
#include "fiber.h"

namespace espalier::emulation {

// What a block consists of; see Block.

inline constexpr uint32_t kWarpSize = 32;

struct Copy {
  void* to;
  const void* from;
  /// Groups that the thread had committed before.
  int group;
};

inline void carryOut(const Copy& copy) {
  if (copy.from == nullptr) {
    std::memset(copy.to, 0, 16);
  } else {
    std::memcpy(copy.to, copy.from, 16);
  }
}

struct Thread {
  uint3 index{};
  uint32_t number = 0;
  /// Null until the thread has begun.
  Fiber* fiber = nullptr;
  bool atBarrier = false;
  bool atMeeting = false;
  Place barrier{};
  Meeting meeting{};
  std::vector<Copy> copies;
  int groups = 0;

  uint32_t lane() const { return number % kWarpSize; }
};

/// Lanes that wait for each other. Lanes of another mask may do something in between before they come.
struct Group {
  uint32_t mask;
  uint32_t arrived;
  Meeting meeting;
};

struct Warp {
  uint32_t ended = 0;
  /// How many groups wait; every lane is in one of them at most.
  uint32_t waiting = 0;
  Group groups[kWarpSize];
};

inline bool samePlace(const Place& a, const Place& b) {
  return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

}  // namespace espalier::emulation
