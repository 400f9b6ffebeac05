#include "device/cpu/kernels/tables.h"

#if defined(__x86_64__)

#include <algorithm>
#include <utility>

#include <immintrin.h>

// As in kernels_avx512bf16.cpp. GCC leaves instructions of matrix units to its assembler.
#if defined(__clang__)
#pragma clang attribute push(                                                                       \
    __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512bf16,fma,amx-tile,amx-bf16"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx512bf16,fma,prefer-vector-width=512")
#endif

namespace espalier::cpu::amx {
namespace {

// clang-format off
#include "device/cpu/kernels/vector_avx512.h"
#include "device/cpu/kernels/tile_registers.inl"
#include "device/cpu/kernels/tile_panels.inl"
#include "device/cpu/kernels/tile_products.inl"
// clang-format on

Kernels withTiles() {
  Kernels k = avx512bf16::kernels();
  k.name = "amx";
  k.tiled = {tiledSpmm, tiledSddmm, nullptr};
  k.narrowToTiles = narrowToTiles;
  return k;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels instance = withTiles();
  return instance;
}

}  // namespace espalier::cpu::amx

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
