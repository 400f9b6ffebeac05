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
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
// GCC 12 warns about its own headers here (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,fma,prefer-vector-width=512")
#endif

namespace espalier::cpu::avx512 {
namespace {
#include "device/cpu/kernels/vector_avx512.h"
}  // namespace
#include "device/cpu/kernels/all.inl"

const Kernels& kernels() {
  static const Kernels instance = table("avx512");
  return instance;
}

}  // namespace espalier::cpu::avx512

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
