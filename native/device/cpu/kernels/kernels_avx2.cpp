#include "device/cpu/kernels/tables.h"

#if defined(__x86_64__)

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/random.h"

#include <immintrin.h>

// Everything of the standard library is included above: code of it that were compiled for this instruction
// set could be the copy that the linker keeps for machines without it.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace espalier::cpu::avx2 {
namespace {
#include "device/cpu/kernels/vector_avx2.h"
}  // namespace
#include "device/cpu/kernels/all.inl"

const Kernels& kernels() {
  static const Kernels instance = table("avx2");
  return instance;
}

}  // namespace espalier::cpu::avx2

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
