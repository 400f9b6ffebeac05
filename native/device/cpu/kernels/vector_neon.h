#pragma once
// One vector of 4 floats, arm64.

struct Vec {
  static constexpr int kLanes = 4;
  static constexpr int kRegisters = 32;
  /// Whether products ask for inputs ahead, and usual strides are known when compiling.
  static constexpr bool kFetchesInputs = false;
  static constexpr bool kKnowsStrides = false;
  /// Whether sums across whole vectors cost so much that gradients of blocks are better summed within quads.
  static constexpr bool kSumsQuads = false;
  using Mask = uint32x4_t;
  float32x4_t v;

  static Vec zero() { return {vdupq_n_f32(0)}; }
  static Vec all(float x) { return {vdupq_n_f32(x)}; }
  static Vec load(const float* p) { return {vld1q_f32(p)}; }
  /// The same, kept for every use: GCC would load again for each.
  static Vec loadOnce(const float* p) {
    Vec x = load(p);
    asm("" : "+w"(x.v));
    return x;
  }
  void store(float* p) const { vst1q_f32(p, v); }
  static Vec loadPart(const float* p, int64_t n) {
    float lanes[4] = {0, 0, 0, 0};
    for (int64_t i = 0; i < n; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  void storePart(float* p, int64_t n) const {
    float lanes[4];
    store(lanes);
    for (int64_t i = 0; i < n; ++i) p[i] = lanes[i];
  }

  /// A vector of pairs of bfloat16, and its halves as floats.
  static Vec loadBits(const uint32_t* p) { return {vreinterpretq_f32_u32(vld1q_u32(p))}; }
  static Vec lowHalves(Vec pairs) {
    return {vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(pairs.v), 16))};
  }
  static Vec highHalves(Vec pairs) {
    const uint32x4_t bits = vreinterpretq_u32_f32(pairs.v);
    return {vreinterpretq_f32_u32(vandq_u32(bits, vdupq_n_u32(0xFFFF0000u)))};
  }
  /// sum + a x b of the low halves and of the high ones.
  static Vec addPairs(Vec a, Vec b, Vec sum) {
    return fma(highHalves(a), highHalves(b), fma(lowHalves(a), lowHalves(b), sum));
  }
  /// Rounds to the nearest bfloat16, to even where two are as near.
  static void storeHalves(Vec low, Vec high, uint32_t* p) {
    vst1q_u32(p, vsriq_n_u32(rounded(high.v), rounded(low.v), 16));
  }
  static uint32x4_t rounded(float32x4_t v) {
    const uint32x4_t bits = vreinterpretq_u32_f32(v);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t up = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7FFF)));
    // What is not a number must not be carried over into one.
    return vbslq_u32(vceqq_f32(v, v), up, vorrq_u32(bits, vdupq_n_u32(0x400000)));
  }

  static Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
  static float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  /// Count numbers, which divide the lanes, as often as they fit.
  template <int Count>
  static Vec repeat(const float* p) {
    static_assert(Count == 4);
    return load(p);
  }
  /// Four numbers of one row.
  static Vec quads(const float* p, int64_t) { return load(p); }
  static Vec max(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
  static Vec min(Vec a, Vec b) { return {vminq_f32(a.v, b.v)}; }
  static Vec sqrt(Vec a) { return {vsqrtq_f32(a.v)}; }
  static Vec round(Vec a) { return {vrndnq_f32(a.v)}; }
  static Vec exp2OfInteger(Vec a) {
    return {vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(a.v), vdupq_n_s32(127)), 23))};
  }
  static Mask less(Vec a, Vec b) { return vcltq_f32(a.v, b.v); }
  static Mask atLeast(Vec a, Vec b) { return vcgeq_f32(a.v, b.v); }
  /// One bit a lane.
  static uint32_t bits(Mask m) {
    const uint32_t weights[4] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(m, vld1q_u32(weights)));
  }
  static Vec select(Mask m, Vec yes, Vec no) { return {vbslq_f32(m, yes.v, no.v)}; }

  /// Lane i becomes the sum of all lanes of a[i].
  template <int Count>
  static Vec sums(const Vec* a) {
    return {vpaddq_f32(vpaddq_f32(a[0].v, a[1].v), vpaddq_f32(a[2].v, a[3].v))};
  }
  /// The sums of four vectors' lanes within each 128-bit part, of which there is one.
  static float32x4_t quarter(const Vec* a) { return sums<4>(a).v; }

  /// Rows become columns.
  static void transpose(Vec (&r)[kLanes]) {
    const float64x2_t evenTop = vreinterpretq_f64_f32(vtrn1q_f32(r[0].v, r[1].v));
    const float64x2_t oddTop = vreinterpretq_f64_f32(vtrn2q_f32(r[0].v, r[1].v));
    const float64x2_t evenEnd = vreinterpretq_f64_f32(vtrn1q_f32(r[2].v, r[3].v));
    const float64x2_t oddEnd = vreinterpretq_f64_f32(vtrn2q_f32(r[2].v, r[3].v));
    r[0].v = vreinterpretq_f32_f64(vtrn1q_f64(evenTop, evenEnd));
    r[1].v = vreinterpretq_f32_f64(vtrn1q_f64(oddTop, oddEnd));
    r[2].v = vreinterpretq_f32_f64(vtrn2q_f64(evenTop, evenEnd));
    r[3].v = vreinterpretq_f32_f64(vtrn2q_f64(oddTop, oddEnd));
  }
};

inline Vec operator+(Vec a, Vec b) {
  return {vaddq_f32(a.v, b.v)};
}
inline Vec operator-(Vec a, Vec b) {
  return {vsubq_f32(a.v, b.v)};
}
inline Vec operator*(Vec a, Vec b) {
  return {vmulq_f32(a.v, b.v)};
}
inline Vec operator/(Vec a, Vec b) {
  return {vdivq_f32(a.v, b.v)};
}
