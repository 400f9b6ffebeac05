#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "block.h"
#include "vector_types.h"

// What kernels are written in: qualifiers, built-in variables and functions.

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

inline constexpr int warpSize = 32;

namespace espalier::emulation {

// Parameters that tell where the caller of an intrinsic is. Only as whole default arguments are they the
// caller's.
#define ESPALIER_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

template <typename T>
concept Shuffled = std::is_arithmetic_v<T> &&(sizeof(T) == 4 || sizeof(T) == 8);

enum class ShuffleKind { Index, Up, Down, Xor };

template <typename T>
struct Shuffle {
  T value;
  /// Lane whose value is taken.
  uint32_t source;
  T result;
};

template <typename T, ShuffleKind Kind>
void completeShuffle(void* const* data) {
  for (uint32_t lane = 0; lane < 32; ++lane) {
    if (data[lane] == nullptr) continue;
    auto& mine = *static_cast<Shuffle<T>*>(data[lane]);
    const auto* theirs = static_cast<const Shuffle<T>*>(data[mine.source]);
    if (theirs != nullptr) {
      mine.result = theirs->value;
    } else {
      // Undefined on the card.
      std::memset(&mine.result, 0xFF, sizeof(T));
    }
  }
}

template <ShuffleKind Kind, typename T>
T shuffle(const char* name, uint32_t mask, T value, uint32_t argument, int width, Place place) {
  if (width <= 0 || width > 32 || !std::has_single_bit(static_cast<unsigned>(width))) {
    fail("%s with a width of %d", name, width);
  }
  const uint32_t lane = laneNumber();
  const uint32_t size = static_cast<uint32_t>(width);
  const uint32_t first = lane & ~(size - 1);
  uint32_t source = lane;
  if constexpr (Kind == ShuffleKind::Index) source = first + (argument & (size - 1));
  if constexpr (Kind == ShuffleKind::Up) source = lane - first >= argument ? lane - argument : lane;
  if constexpr (Kind == ShuffleKind::Down) source = lane - first + argument < size ? lane + argument : lane;
  if constexpr (Kind == ShuffleKind::Xor) {
    const uint32_t other = lane ^ argument;
    source = other < first + size ? other & 31 : lane;
  }
  Shuffle<T> data{value, source, value};
  meetWarp({name, mask, &completeShuffle<T, Kind>, &data, place});
  return data.result;
}

struct Vote {
  bool mine;
  uint32_t lanes;
};

inline void completeVote(void* const* data) {
  uint32_t lanes = 0;
  for (uint32_t lane = 0; lane < 32; ++lane) {
    if (data[lane] != nullptr && static_cast<const Vote*>(data[lane])->mine) lanes |= uint32_t{1} << lane;
  }
  for (uint32_t lane = 0; lane < 32; ++lane) {
    if (data[lane] != nullptr) static_cast<Vote*>(data[lane])->lanes = lanes;
  }
}

inline uint32_t vote(const char* name, uint32_t mask, bool mine, Place place) {
  Vote data{mine, 0};
  meetWarp({name, mask, &completeVote, &data, place});
  return data.lanes;
}

inline void completeNothing(void* const*) {}

/// old = *address; *address = next(old), at one stroke.
template <typename T, typename Next>
T atomically(T* address, const Next& next) {
  yieldAtTimes();
  const T old = *address;
  *address = next(old);
  return old;
}

template <typename To, typename From>
To sameBits(From value) {
  return std::bit_cast<To>(value);
}

}  // namespace espalier::emulation

inline void __syncthreads(ESPALIER_HERE) {
  espalier::emulation::meetBlock({file, line});
}

inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, ESPALIER_HERE) {
  espalier::emulation::meetWarp(
      {"__syncwarp", mask, &espalier::emulation::completeNothing, nullptr, {file, line}});
}

template <espalier::emulation::Shuffled T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32, ESPALIER_HERE) {
  using namespace espalier::emulation;
  return shuffle<ShuffleKind::Index>("__shfl_sync", mask, value, static_cast<uint32_t>(lane), width,
                                     {file, line});
}
template <espalier::emulation::Shuffled T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, ESPALIER_HERE) {
  using namespace espalier::emulation;
  return shuffle<ShuffleKind::Up>("__shfl_up_sync", mask, value, delta, width, {file, line});
}
template <espalier::emulation::Shuffled T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, ESPALIER_HERE) {
  using namespace espalier::emulation;
  return shuffle<ShuffleKind::Down>("__shfl_down_sync", mask, value, delta, width, {file, line});
}
template <espalier::emulation::Shuffled T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, ESPALIER_HERE) {
  using namespace espalier::emulation;
  return shuffle<ShuffleKind::Xor>("__shfl_xor_sync", mask, value, static_cast<uint32_t>(lanes), width,
                                   {file, line});
}

inline unsigned __ballot_sync(unsigned mask, int predicate, ESPALIER_HERE) {
  return espalier::emulation::vote("__ballot_sync", mask, predicate != 0, {file, line});
}
inline int __any_sync(unsigned mask, int predicate, ESPALIER_HERE) {
  return espalier::emulation::vote("__any_sync", mask, predicate != 0, {file, line}) != 0;
}
inline int __all_sync(unsigned mask, int predicate, ESPALIER_HERE) {
  return espalier::emulation::vote("__all_sync", mask, predicate == 0, {file, line}) == 0;
}

#undef ESPALIER_HERE

#define ESPALIER_ATOMIC(name, type, next)                                             \
  inline type name(type* address, type value) {                                       \
    return espalier::emulation::atomically(address, [&](type old) -> type { next; }); \
  }
#define ESPALIER_ATOMICS(type)                                                                       \
  ESPALIER_ATOMIC(atomicMax, type, return std::max(old, value))                                      \
  ESPALIER_ATOMIC(atomicMin, type, return std::min(old, value))                                      \
  ESPALIER_ATOMIC(atomicOr, type, return old | value)                                                \
  ESPALIER_ATOMIC(atomicAnd, type, return old & value)                                               \
  ESPALIER_ATOMIC(atomicExch, type, (void)old; return value)                                         \
  inline type atomicCAS(type* address, type expected, type value) {                                  \
    return espalier::emulation::atomically(address,                                                  \
                                           [&](type old) { return old == expected ? value : old; }); \
  }
ESPALIER_ATOMICS(int)
ESPALIER_ATOMICS(unsigned)
ESPALIER_ATOMICS(unsigned long long)
ESPALIER_ATOMIC(atomicAdd, int,
                return static_cast<int>(static_cast<unsigned>(old) + static_cast<unsigned>(value)))
ESPALIER_ATOMIC(atomicAdd, unsigned, return old + value)
ESPALIER_ATOMIC(atomicAdd, unsigned long long, return old + value)
ESPALIER_ATOMIC(atomicAdd, float, return old + value)
ESPALIER_ATOMIC(atomicExch, float, (void)old; return value)
#undef ESPALIER_ATOMICS
#undef ESPALIER_ATOMIC

inline void __threadfence() {
  espalier::emulation::yieldAtTimes();
}
inline void __threadfence_block() {
  espalier::emulation::yieldAtTimes();
}
inline void __threadfence_system() {
  espalier::emulation::yieldAtTimes();
}

template <typename T>
T __ldg(const T* address) {
  return *address;
}

inline int __popc(unsigned value) {
  return std::popcount(value);
}
inline int __popcll(unsigned long long value) {
  return std::popcount(value);
}
inline int __ffs(int value) {
  return value == 0 ? 0 : std::countr_zero(static_cast<unsigned>(value)) + 1;
}
inline int __ffsll(long long value) {
  return value == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(value)) + 1;
}
inline int __clz(int value) {
  return std::countl_zero(static_cast<unsigned>(value));
}
inline int __clzll(long long value) {
  return std::countl_zero(static_cast<unsigned long long>(value));
}
inline unsigned __brev(unsigned value) {
  unsigned result = 0;
  for (int i = 0; i < 32; ++i) result |= (value >> i & 1) << (31 - i);
  return result;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(uint64_t{a} * b >> 32);
}

inline unsigned __float_as_uint(float value) {
  return std::bit_cast<unsigned>(value);
}
inline int __float_as_int(float value) {
  return std::bit_cast<int>(value);
}
inline float __uint_as_float(unsigned value) {
  return std::bit_cast<float>(value);
}
inline float __int_as_float(int value) {
  return std::bit_cast<float>(value);
}
inline long long __double_as_longlong(double value) {
  return std::bit_cast<long long>(value);
}
inline double __longlong_as_double(long long value) {
  return std::bit_cast<double>(value);
}

inline float __fadd_rn(float a, float b) {
  return a + b;
}
inline float __fsub_rn(float a, float b) {
  return a - b;
}
inline float __fmul_rn(float a, float b) {
  return a * b;
}
inline float __fdiv_rn(float a, float b) {
  return a / b;
}
inline float __fmaf_rn(float a, float b, float c) {
  return std::fma(a, b, c);
}
inline float __fsqrt_rn(float a) {
  return std::sqrt(a);
}
inline float __frcp_rn(float a) {
  return 1.0f / a;
}
inline float __fdividef(float a, float b) {
  return a / b;
}
inline float __expf(float a) {
  return std::exp(a);
}
inline float __logf(float a) {
  return std::log(a);
}
inline float rsqrtf(float a) {
  return 1.0f / std::sqrt(a);
}
inline double rsqrt(double a) {
  return 1.0 / std::sqrt(a);
}
inline double __dadd_rn(double a, double b) {
  return a + b;
}
inline double __dsub_rn(double a, double b) {
  return a - b;
}
inline double __dmul_rn(double a, double b) {
  return a * b;
}
inline double __ddiv_rn(double a, double b) {
  return a / b;
}
inline double __fma_rn(double a, double b, double c) {
  return std::fma(a, b, c);
}

#define ESPALIER_EXTREMES(type)     \
  inline type min(type a, type b) { \
    return b < a ? b : a;           \
  }                                 \
  inline type max(type a, type b) { \
    return a < b ? b : a;           \
  }
ESPALIER_EXTREMES(int)
ESPALIER_EXTREMES(unsigned)
ESPALIER_EXTREMES(long)
ESPALIER_EXTREMES(unsigned long)
ESPALIER_EXTREMES(long long)
ESPALIER_EXTREMES(unsigned long long)
#undef ESPALIER_EXTREMES
// Of a number and a NaN, the number.
inline float min(float a, float b) {
  return std::fmin(a, b);
}
inline float max(float a, float b) {
  return std::fmax(a, b);
}
inline double min(double a, double b) {
  return std::fmin(a, b);
}
inline double max(double a, double b) {
  return std::fmax(a, b);
}
