#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/portable.h"

namespace espalier {

/// What a random number is for. Part of the counter, so that no two uses ever share a number.
enum class RandomPurpose : uint32_t {
  Pattern = 1,
  Weights = 2,
  Shuffle = 3,
  Dropout = 4,
  Growth = 5,
  NewWeights = 6,
  DropConnect = 7
};

/// Philox 4x32-10, a counter-based generator (Salmon et al., SC 2011): any number of the stream in any order,
/// so the same on every device and any number of threads.
ESPALIER_HOST_DEVICE inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter,
                                                           std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// The four numbers at (seed, purpose, layer, index).
ESPALIER_HOST_DEVICE inline std::array<uint32_t, 4> randomBits(uint64_t seed, RandomPurpose purpose,
                                                               uint32_t layer, uint64_t index) {
  return philox({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), layer,
                 static_cast<uint32_t>(purpose)},
                {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

/// A seed of its own for (seed, purpose, layer, index), such as one epoch or one rewiring.
ESPALIER_HOST_DEVICE inline uint64_t deriveSeed(uint64_t seed, RandomPurpose purpose, uint32_t layer,
                                                uint64_t index) {
  const auto bits = randomBits(seed, purpose, layer, index);
  return uint64_t{bits[0]} << 32 | bits[1];
}

/// One standard normal number at (seed, purpose, layer, index), by Box and Muller.
ESPALIER_HOST_DEVICE inline float randomNormal(uint64_t seed, RandomPurpose purpose, uint32_t layer,
                                               uint64_t index) {
  const auto bits = randomBits(seed, purpose, layer, index);
  const double u = (bits[0] + 1.0) / 4294967296.0;  // in (0, 1], so that the logarithm is finite
  const double v = bits[1] / 4294967296.0;
  return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v));
}

/// A keyed bijection of [0, size): a balanced Feistel network over the next power of four, walked until it
/// falls inside. Ranks 0 .. k - 1 give k distinct positions without a bitmap and without rejection lists.
class Feistel {
 public:
  ESPALIER_HOST_DEVICE Feistel(uint64_t size, uint64_t seed) : size_(size), seed_(seed) {
    while (halfBits_ < 31 && (uint64_t{1} << (2 * halfBits_)) < size) ++halfBits_;
    mask_ = (uint32_t{1} << halfBits_) - 1;
  }

  ESPALIER_HOST_DEVICE uint64_t operator()(uint64_t rank) const {
    do rank = permute(rank);
    while (rank >= size_);
    return rank;
  }

  /// The rank that gives this number.
  uint64_t rankOf(uint64_t number) const {
    do number = permuteBack(number);
    while (number >= size_);
    return number;
  }

 private:
  static constexpr uint32_t kRounds = 6;

  ESPALIER_HOST_DEVICE uint64_t permute(uint64_t value) const {
    auto left = static_cast<uint32_t>(value >> halfBits_);
    auto right = static_cast<uint32_t>(value) & mask_;
    for (uint32_t round = 0; round < kRounds; ++round) {
      const uint32_t mixed = left ^ (mix(right, round) & mask_);
      left = right;
      right = mixed;
    }
    return uint64_t{left} << halfBits_ | right;
  }

  uint64_t permuteBack(uint64_t value) const {
    auto left = static_cast<uint32_t>(value >> halfBits_);
    auto right = static_cast<uint32_t>(value) & mask_;
    for (uint32_t round = kRounds; round-- > 0;) {
      const uint32_t before = right ^ (mix(left, round) & mask_);
      right = left;
      left = before;
    }
    return uint64_t{left} << halfBits_ | right;
  }

  /// A 64-bit finaliser (splitmix64) of the half, the round and the seed.
  ESPALIER_HOST_DEVICE uint32_t mix(uint32_t half, uint32_t round) const {
    uint64_t z = seed_ + (uint64_t{round} << 32 | half) * 0x9E3779B97F4A7C15u + 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<uint32_t>((z ^ (z >> 31)) >> 16);
  }

  uint64_t size_;
  uint64_t seed_;
  uint32_t halfBits_ = 1;
  uint32_t mask_ = 1;
};

}  // namespace espalier
