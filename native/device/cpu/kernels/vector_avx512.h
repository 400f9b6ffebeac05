#pragma once
// One vector of 16 floats. Included inside the target region of kernels_avx512.cpp only.

struct Vec {
  static constexpr int kLanes = 16;
  /// How many registers of each product's tile keep within the register file.
  static constexpr int kRegisters = 32;
  /// Whether products ask for inputs ahead, and usual strides are known when compiling.
  static constexpr bool kFetchesInputs = false;
  static constexpr bool kKnowsStrides = true;
  /// Whether sums across whole vectors cost so much that gradients of blocks are better summed within quads.
  static constexpr bool kSumsQuads = true;
  using Mask = __mmask16;
  __m512 v;

  static Vec zero() { return {_mm512_setzero_ps()}; }
  static Vec all(float x) { return {_mm512_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  /// The same, kept for every use: GCC would load again for each.
  static Vec loadOnce(const float* p) {
    Vec x = load(p);
    asm("" : "+v"(x.v));
    return x;
  }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  static Vec loadPart(const float* p, int64_t n) { return {_mm512_maskz_loadu_ps(part(n), p)}; }
  void storePart(float* p, int64_t n) const { _mm512_mask_storeu_ps(p, part(n), v); }
  static Mask part(int64_t n) { return static_cast<Mask>((1u << n) - 1); }

  /// A vector of pairs of bfloat16, and its halves as floats.
  static Vec loadBits(const uint32_t* p) { return {_mm512_castsi512_ps(_mm512_loadu_si512(p))}; }
  static Vec lowHalves(Vec pairs) {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(pairs.v), 16))};
  }
  static Vec highHalves(Vec pairs) {
    const __m512i mask = _mm512_set1_epi32(static_cast<int>(0xFFFF0000u));
    return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(pairs.v), mask))};
  }
  /// sum + a x b of the low halves and of the high ones.
  static Vec addPairs(Vec a, Vec b, Vec sum) {
#if defined(ESPALIER_DOT_BFLOAT16)
    return {_mm512_dpbf16_ps(sum.v, reinterpret_cast<__m512bh>(a.v), reinterpret_cast<__m512bh>(b.v))};
#else
    return fma(highHalves(a), highHalves(b), fma(lowHalves(a), lowHalves(b), sum));
#endif
  }
  /// Rounds to the nearest bfloat16, to even where two are as near.
  static void storeHalves(Vec low, Vec high, uint32_t* p) {
    const __m512i mask = _mm512_set1_epi32(static_cast<int>(0xFFFF0000u));
    const __m512i lows = _mm512_srli_epi32(rounded(low.v), 16);
    _mm512_storeu_si512(p, _mm512_or_si512(lows, _mm512_and_si512(rounded(high.v), mask)));
  }
  static __m512i rounded(__m512 v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    // What is not a number must not be carried over into one.
    const Mask isNumber = _mm512_cmp_ps_mask(v, v, _CMP_ORD_Q);
    return _mm512_mask_mov_epi32(_mm512_or_si512(bits, _mm512_set1_epi32(0x400000)), isNumber, up);
  }

  static Vec fma(Vec a, Vec b, Vec c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
  }
  static float fma(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
  }
  /// Count numbers, which divide the lanes, as often as they fit.
  template <int Count>
  static Vec repeat(const float* p) {
    static_assert(Count == 4 || Count == 8 || Count == 16);
    if constexpr (Count == 4) return {_mm512_broadcast_f32x4(_mm_loadu_ps(p))};
    if constexpr (Count == 8) return {_mm512_broadcast_f32x8(_mm256_loadu_ps(p))};
    return load(p);
  }
  /// Four numbers of each of four rows, `pitch` apart, side by side.
  static Vec quads(const float* p, int64_t pitch) {
    __m512 rows = _mm512_castps128_ps512(_mm_loadu_ps(p));
    rows = _mm512_insertf32x4(rows, _mm_loadu_ps(p + pitch), 1);
    rows = _mm512_insertf32x4(rows, _mm_loadu_ps(p + 2 * pitch), 2);
    return {_mm512_insertf32x4(rows, _mm_loadu_ps(p + 3 * pitch), 3)};
  }
  /// Numbers to be looked up by their place, without going to memory.
  struct Table {
    static constexpr int kSize = 32;
    __m512 low, high;
    explicit Table(const float* p) : low(_mm512_loadu_ps(p)), high(_mm512_loadu_ps(p + 16)) {}
    Vec at(const uint8_t* places) const {
      const __m512i index = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(places)));
      return {_mm512_permutex2var_ps(low, index, high)};
    }
  };
  static Vec max(Vec a, Vec b) {
    return {_mm512_max_ps(a.v, b.v)};
  }
  static Vec min(Vec a, Vec b) {
    return {_mm512_min_ps(a.v, b.v)};
  }
  static Vec sqrt(Vec a) {
    return {_mm512_sqrt_ps(a.v)};
  }
  static Vec round(Vec a) {
    return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT)};
  }
  /// 2^a for whole a within the exponent's range.
  static Vec exp2OfInteger(Vec a) {
    const __m512i bits = _mm512_add_epi32(_mm512_cvtps_epi32(a.v), _mm512_set1_epi32(127));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(bits, 23))};
  }
  static Mask less(Vec a, Vec b) {
    return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ);
  }
  static Mask atLeast(Vec a, Vec b) {
    return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ);
  }
  /// One bit a lane.
  static uint32_t bits(Mask m) {
    return m;
  }
  static Vec select(Mask m, Vec yes, Vec no) {
    return {_mm512_mask_blend_ps(m, no.v, yes.v)};
  }

  /// The sums of four vectors' lanes within each 128-bit part.
  static __m512 quarter(const Vec* a) {
    const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a[0].v, a[1].v), _mm512_unpackhi_ps(a[0].v, a[1].v));
    const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(a[2].v, a[3].v), _mm512_unpackhi_ps(a[2].v, a[3].v));
    const __m512d low = _mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
    const __m512d high = _mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
    return _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
  }
  static __m512 pairLanes(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
  }
  /// Lane i becomes the sum of all lanes of a[i]; Count is 4, 8 or 16, lanes beyond it are of no meaning.
  template <int Count>
  static Vec sums(const Vec* a) {
    if constexpr (Count == 16) {
      return {pairLanes(pairLanes(quarter(a), quarter(a + 4)), pairLanes(quarter(a + 8), quarter(a + 12)))};
    } else if constexpr (Count == 8) {
      const __m512 halves = pairLanes(quarter(a), quarter(a + 4));
      return {pairLanes(halves, halves)};
    } else {
      const __m512 one = quarter(a);
      const __m512 halves = pairLanes(one, one);
      return {pairLanes(halves, halves)};
    }
  }

  /// Rows become columns.
  static void transpose(Vec (&r)[kLanes]) {
    __m512 pairs[kLanes], quads[kLanes];
    for (int i = 0; i < kLanes; i += 2) {
      pairs[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
      pairs[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
    }
    for (int i = 0; i < kLanes; i += 4) {
      for (int half = 0; half < 2; ++half) {
        const __m512d low = _mm512_castps_pd(pairs[i + half]), high = _mm512_castps_pd(pairs[i + half + 2]);
        quads[i + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
        quads[i + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
      }
    }
    for (int c = 0; c < 4; ++c) {
      const __m512 evenTop = _mm512_shuffle_f32x4(quads[c], quads[4 + c], 0x88);
      const __m512 oddTop = _mm512_shuffle_f32x4(quads[c], quads[4 + c], 0xDD);
      const __m512 evenEnd = _mm512_shuffle_f32x4(quads[8 + c], quads[12 + c], 0x88);
      const __m512 oddEnd = _mm512_shuffle_f32x4(quads[8 + c], quads[12 + c], 0xDD);
      r[c].v = _mm512_shuffle_f32x4(evenTop, evenEnd, 0x88);
      r[4 + c].v = _mm512_shuffle_f32x4(oddTop, oddEnd, 0x88);
      r[8 + c].v = _mm512_shuffle_f32x4(evenTop, evenEnd, 0xDD);
      r[12 + c].v = _mm512_shuffle_f32x4(oddTop, oddEnd, 0xDD);
    }
  }
};

inline Vec operator+(Vec a, Vec b) {
  return {_mm512_add_ps(a.v, b.v)};
}
inline Vec operator-(Vec a, Vec b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
inline Vec operator*(Vec a, Vec b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
inline Vec operator/(Vec a, Vec b) {
  return {_mm512_div_ps(a.v, b.v)};
}
