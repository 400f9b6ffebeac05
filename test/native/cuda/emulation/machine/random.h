#pragma once

#include <cstdint>

namespace espalier::emulation {

/// A small fast generator for orders (splitmix64).
class OrderRandom {
 public:
  explicit OrderRandom(uint64_t seed) : state_(seed) {}
  uint32_t bits() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<uint32_t>((z ^ (z >> 31)) >> 32);
  }
  /// 0 .. size - 1.
  uint32_t below(uint32_t size) { return static_cast<uint32_t>(uint64_t{bits()} * size >> 32); }

 private:
  uint64_t state_;
};

}  // namespace espalier::emulation
