// What panels hold: floats, or pairs of bfloat16.

/// How elements become vectors: a vector's worth of them holds kVectors vectors of consecutive samples.
template <typename Element>
struct Elements;

template <>
struct Elements<float> {
  static constexpr int kVectors = 1;

  static void load(const float* p, Vec* samples) { samples[0] = Vec::load(p); }
  static void spread(Vec whole, Vec* samples) { samples[0] = whole; }
  static Vec loadWhole(const float* p) { return Vec::load(p); }
  static Vec loadOnce(const float* p) { return Vec::loadOnce(p); }
  /// Four elements as often as they fit, and four of each row side by side.
  static Vec repeatQuad(const float* p) { return Vec::repeat<4>(p); }
  static Vec quads(const float* p, int64_t pitch) { return Vec::quads(p, pitch); }
  /// sum + a x b, lane by lane.
  static Vec multiplyAdd(Vec a, Vec b, Vec sum) { return Vec::fma(a, b, sum); }
};

/// The low halves of a vector of pairs are its first samples, the high halves those that follow.
template <>
struct Elements<Bfloat16Pair> {
  static constexpr int kVectors = 2;

  static void load(const Bfloat16Pair* p, Vec* samples) { spread(loadWhole(p), samples); }
  static void spread(Vec pairs, Vec* samples) {
    samples[0] = Vec::lowHalves(pairs);
    samples[1] = Vec::highHalves(pairs);
  }
  static Vec loadWhole(const Bfloat16Pair* p) { return Vec::loadBits(&p->bits); }
  static Vec loadOnce(const Bfloat16Pair* p) { return Vec::loadOnce(bits(p)); }
  static Vec repeatQuad(const Bfloat16Pair* p) { return Vec::repeat<4>(bits(p)); }
  static Vec quads(const Bfloat16Pair* p, int64_t pitch) { return Vec::quads(bits(p), pitch); }
  /// sum + a x b, of both halves of each lane.
  static Vec multiplyAdd(Vec a, Vec b, Vec sum) { return Vec::addPairs(a, b, sum); }

 private:
  /// Numbers that are moved only.
  static const float* bits(const Bfloat16Pair* p) { return reinterpret_cast<const float*>(&p->bits); }
};

void narrow(const float* from, int64_t stride, Range rows, Bfloat16Pair* narrowed) {
  Bfloat16Pair* const to = narrowed + rows.begin * stride / 2;
  for (int64_t at = 0; at < rows.size() * stride; at += 2 * Vec::kLanes) {
    Vec::storeHalves(Vec::load(from + at), Vec::load(from + at + Vec::kLanes), &to[at / 2].bits);
  }
}
