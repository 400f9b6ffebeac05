#pragma once
// One vector of 8 floats. Included inside the target region of kernels_avx2.cpp only.

struct Vec {
  static constexpr int kLanes = 8;
  static constexpr int kRegisters = 16;
  /// Whether products ask for inputs ahead, and usual strides are known when compiling.
  static constexpr bool kFetchesInputs = true;
  static constexpr bool kKnowsStrides = true;
  /// Whether sums across whole vectors cost so much that gradients of blocks are better summed within quads.
  static constexpr bool kSumsQuads = false;
  using Mask = __m256;
  __m256 v;

  static Vec zero() { return {_mm256_setzero_ps()}; }
  static Vec all(float x) { return {_mm256_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  /// The same, kept for every use: GCC would load again for each.
  static Vec loadOnce(const float* p) {
    Vec x = load(p);
    asm("" : "+x"(x.v));
    return x;
  }
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  static Vec loadPart(const float* p, int64_t n) { return {_mm256_maskload_ps(p, part(n))}; }
  void storePart(float* p, int64_t n) const { _mm256_maskstore_ps(p, part(n), v); }
  static __m256i part(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }

  /// A vector of pairs of bfloat16, and its halves as floats.
  static Vec loadBits(const uint32_t* p) {
    return {_mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  static Vec lowHalves(Vec pairs) {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(pairs.v), 16))};
  }
  static Vec highHalves(Vec pairs) {
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(0xFFFF0000u));
    return {_mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(pairs.v), mask))};
  }
  /// sum + a x b of the low halves and of the high ones.
  static Vec addPairs(Vec a, Vec b, Vec sum) {
    return fma(highHalves(a), highHalves(b), fma(lowHalves(a), lowHalves(b), sum));
  }
  /// Rounds to the nearest bfloat16, to even where two are as near.
  static void storeHalves(Vec low, Vec high, uint32_t* p) {
    const __m256i lows = _mm256_srli_epi32(rounded(low.v), 16);
    const __m256i pairs = _mm256_blend_epi16(lows, rounded(high.v), 0xAA);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), pairs);
  }
  static __m256i rounded(__m256 v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
    // What is not a number must not be carried over into one.
    const __m256i isNumber = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_ORD_Q));
    return _mm256_blendv_epi8(_mm256_or_si256(bits, _mm256_set1_epi32(0x400000)), up, isNumber);
  }

  static Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  static float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  /// Count numbers, which divide the lanes, as often as they fit.
  template <int Count>
  static Vec repeat(const float* p) {
    static_assert(Count == 4 || Count == 8);
    if constexpr (Count == 4) return {_mm256_broadcast_ps(reinterpret_cast<const __m128*>(p))};
    return load(p);
  }
  /// Four numbers of each of two rows, `pitch` apart, side by side.
  static Vec quads(const float* p, int64_t pitch) { return {_mm256_loadu2_m128(p + pitch, p)}; }
  static Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
  static Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
  static Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.v)}; }
  static Vec round(Vec a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
  static Vec exp2OfInteger(Vec a) {
    const __m256i bits = _mm256_add_epi32(_mm256_cvtps_epi32(a.v), _mm256_set1_epi32(127));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(bits, 23))};
  }
  static Mask less(Vec a, Vec b) { return _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ); }
  static Mask atLeast(Vec a, Vec b) { return _mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ); }
  /// One bit a lane.
  static uint32_t bits(Mask m) { return static_cast<uint32_t>(_mm256_movemask_ps(m)); }
  static Vec select(Mask m, Vec yes, Vec no) { return {_mm256_blendv_ps(no.v, yes.v, m)}; }

  /// a and b side by side, each folded once within its 128-bit parts.
  static __m256 halves(__m256 a, __m256 b) {
    return _mm256_add_ps(_mm256_blend_ps(a, b, 0xCC), _mm256_shuffle_ps(a, b, 0x4E));
  }
  /// The sums of four vectors' lanes within each 128-bit part.
  static __m256 quarter(const Vec* a) {
    const __m256 ab = halves(a[0].v, a[1].v), cd = halves(a[2].v, a[3].v);
    return _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x88), _mm256_shuffle_ps(ab, cd, 0xDD));
  }
  /// Lane i becomes the sum of all lanes of a[i]; Count is 4 or 8.
  template <int Count>
  static Vec sums(const Vec* a) {
    const __m256 low = quarter(a);
    const __m256 high = Count == 8 ? quarter(a + (Count == 8 ? 4 : 0)) : low;
    return {_mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31))};
  }

  /// Rows become columns.
  static void transpose(Vec (&r)[kLanes]) {
    __m256 pairs[kLanes], quads[kLanes];
    for (int i = 0; i < kLanes; i += 2) {
      pairs[i] = _mm256_unpacklo_ps(r[i].v, r[i + 1].v);
      pairs[i + 1] = _mm256_unpackhi_ps(r[i].v, r[i + 1].v);
    }
    for (int i = 0; i < kLanes; i += 4) {
      for (int half = 0; half < 2; ++half) {
        const __m256d low = _mm256_castps_pd(pairs[i + half]), high = _mm256_castps_pd(pairs[i + half + 2]);
        quads[i + 2 * half] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, high));
        quads[i + 2 * half + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, high));
      }
    }
    for (int c = 0; c < 4; ++c) {
      r[c].v = _mm256_permute2f128_ps(quads[c], quads[4 + c], 0x20);
      r[4 + c].v = _mm256_permute2f128_ps(quads[c], quads[4 + c], 0x31);
    }
  }
};

inline Vec operator+(Vec a, Vec b) {
  return {_mm256_add_ps(a.v, b.v)};
}
inline Vec operator-(Vec a, Vec b) {
  return {_mm256_sub_ps(a.v, b.v)};
}
inline Vec operator*(Vec a, Vec b) {
  return {_mm256_mul_ps(a.v, b.v)};
}
inline Vec operator/(Vec a, Vec b) {
  return {_mm256_div_ps(a.v, b.v)};
}
