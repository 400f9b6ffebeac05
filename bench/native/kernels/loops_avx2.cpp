#include "loops.h"

#if defined(__x86_64__)

#include <cmath>
#include <cstring>
#include <utility>

#include <immintrin.h>

// Everything of the standard library is included above, as in native/device/cpu/kernels.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace espalier::bench::avx2 {
namespace {
#include "device/cpu/kernels/vector_avx2.h"
}  // namespace
#include "loops.inl"
}  // namespace espalier::bench::avx2

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
