#include "loops.h"

#if defined(__x86_64__)

#include <cmath>
#include <cstring>
#include <utility>

#include <immintrin.h>

// Everything of the standard library is included above, as in native/device/cpu/kernels.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,fma,prefer-vector-width=512")
#endif

namespace espalier::bench::avx512 {
namespace {
#include "device/cpu/kernels/vector_avx512.h"
}  // namespace
#include "loops.inl"
}  // namespace espalier::bench::avx512

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
