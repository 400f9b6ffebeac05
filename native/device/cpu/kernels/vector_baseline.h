#pragma once
// One vector of 4 floats by the compiler's own vectors: SSE2 on x86-64, whatever there is elsewhere.

struct Vec {
  static constexpr int kLanes = 4;
  static constexpr int kRegisters = 16;
  /// Whether products ask for inputs ahead, and usual strides are known when compiling.
  static constexpr bool kFetchesInputs = false;
  static constexpr bool kKnowsStrides = false;
  /// Whether sums across whole vectors cost so much that gradients of blocks are better summed within quads.
  static constexpr bool kSumsQuads = false;
  typedef float Floats __attribute__((vector_size(16)));
  typedef int32_t Integers __attribute__((vector_size(16)));
  using Mask = Integers;
  Floats v;

  static Vec zero() { return {Floats{0, 0, 0, 0}}; }
  static Vec all(float x) { return {Floats{x, x, x, x}}; }
  static Vec load(const float* p) {
    Vec result;
    std::memcpy(&result.v, p, sizeof(Floats));
    return result;
  }
  static Vec loadOnce(const float* p) { return load(p); }
  void store(float* p) const { std::memcpy(p, &v, sizeof(Floats)); }
  static Vec loadPart(const float* p, int64_t n) {
    Vec result = zero();
    for (int64_t i = 0; i < n; ++i) result.v[i] = p[i];
    return result;
  }
  void storePart(float* p, int64_t n) const {
    for (int64_t i = 0; i < n; ++i) p[i] = v[i];
  }

  typedef uint32_t Words __attribute__((vector_size(16)));
  /// A vector of pairs of bfloat16, and its halves as floats.
  static Vec loadBits(const uint32_t* p) {
    Vec result;
    std::memcpy(&result.v, p, sizeof(Floats));
    return result;
  }
  static Vec lowHalves(Vec pairs) {
    return {reinterpret_cast<Floats>(reinterpret_cast<Words>(pairs.v) << 16)};
  }
  static Vec highHalves(Vec pairs) {
    return {reinterpret_cast<Floats>(reinterpret_cast<Words>(pairs.v) & 0xFFFF0000u)};
  }
  /// sum + a x b of the low halves and of the high ones.
  static Vec addPairs(Vec a, Vec b, Vec sum) {
    return fma(highHalves(a), highHalves(b), fma(lowHalves(a), lowHalves(b), sum));
  }
  /// Rounds to the nearest bfloat16, to even where two are as near.
  static void storeHalves(Vec low, Vec high, uint32_t* p) {
    const Words pairs = rounded(low.v) >> 16 | (rounded(high.v) & 0xFFFF0000u);
    std::memcpy(p, &pairs, sizeof(Words));
  }
  static Words rounded(Floats v) {
    const Words bits = reinterpret_cast<Words>(v);
    const Words up = bits + (bits >> 16 & 1) + 0x7FFF;
    // What is not a number must not be carried over into one.
    const Words isNumber = reinterpret_cast<Words>(v == v);
    return (up & isNumber) | ((bits | 0x400000) & ~isNumber);
  }

  static Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }
  static float fma(float a, float b, float c) { return a * b + c; }
  /// Count numbers, which divide the lanes, as often as they fit.
  template <int Count>
  static Vec repeat(const float* p) {
    static_assert(Count == 4);
    return load(p);
  }
  /// Four numbers of one row.
  static Vec quads(const float* p, int64_t) { return load(p); }
  static Vec max(Vec a, Vec b) { return select(less(b, a), a, b); }
  static Vec min(Vec a, Vec b) { return select(less(a, b), a, b); }
  static Vec sqrt(Vec a) {
    for (int i = 0; i < kLanes; ++i) a.v[i] = std::sqrt(a.v[i]);
    return a;
  }
  static Vec round(Vec a) {
    for (int i = 0; i < kLanes; ++i) a.v[i] = std::nearbyint(a.v[i]);
    return a;
  }
  static Vec exp2OfInteger(Vec a) {
    const Integers bits = (__builtin_convertvector(a.v, Integers) + 127) << 23;
    return {reinterpret_cast<Floats>(bits)};
  }
  static Mask less(Vec a, Vec b) { return a.v < b.v; }
  static Mask atLeast(Vec a, Vec b) { return a.v >= b.v; }
  /// One bit a lane.
  static uint32_t bits(Mask m) {
    uint32_t result = 0;
    for (int i = 0; i < kLanes; ++i) result |= m[i] != 0 ? 1u << i : 0u;
    return result;
  }
  static Vec select(Mask m, Vec yes, Vec no) {
    return {reinterpret_cast<Floats>((m & reinterpret_cast<Integers>(yes.v)) |
                                     (~m & reinterpret_cast<Integers>(no.v)))};
  }

  /// Lane i becomes the sum of all lanes of a[i].
  template <int Count>
  static Vec sums(const Vec* a) {
    Vec result;
    for (int i = 0; i < 4; ++i) result.v[i] = (a[i].v[0] + a[i].v[1]) + (a[i].v[2] + a[i].v[3]);
    return result;
  }
  /// The sums of four vectors' lanes within each 128-bit part, of which there is one.
  static Floats quarter(const Vec* a) { return sums<4>(a).v; }

  /// Rows become columns.
  static void transpose(Vec (&r)[kLanes]) {
    for (int i = 0; i < kLanes; ++i) {
      for (int j = 0; j < i; ++j) {
        const float other = r[i].v[j];
        r[i].v[j] = r[j].v[i];
        r[j].v[i] = other;
      }
    }
  }
};

inline Vec operator+(Vec a, Vec b) {
  return {a.v + b.v};
}
inline Vec operator-(Vec a, Vec b) {
  return {a.v - b.v};
}
inline Vec operator*(Vec a, Vec b) {
  return {a.v * b.v};
}
inline Vec operator/(Vec a, Vec b) {
  return {a.v / b.v};
}
