// What panels hold: floats, or pairs of bfloat16.

/// How elements become vectors: a vector's worth of them holds kVectors vectors of consecutive samples.
template <typename Element>
struct Elements;

template <>
struct Elements<float> {
  static constexpr int kVectors = 1;

  static void load(const float* p, Vec* samples) { samples[0] = Vec::load(p); }
  static Vec loadWhole(const float* p) { return Vec::load(p); }
  static Vec loadOnce(const float* p) { return Vec::loadOnce(p); }
  /// sum + a x b, lane by lane.
  static Vec multiplyAdd(Vec a, Vec b, Vec sum) { return Vec::fma(a, b, sum); }
};

/// The low halves of a vector of pairs are its first samples, the high halves those that follow.
template <>
struct Elements<Bfloat16Pair> {
  static constexpr int kVectors = 2;

  static void load(const Bfloat16Pair* p, Vec* samples) {
    const Vec pairs = loadWhole(p);
    samples[0] = Vec::lowHalves(pairs);
    samples[1] = Vec::highHalves(pairs);
  }
  static Vec loadWhole(const Bfloat16Pair* p) { return Vec::loadBits(&p->bits); }
  static Vec loadOnce(const Bfloat16Pair* p) { return loadWhole(p); }
  /// sum + a x b, of both halves of each lane.
  static Vec multiplyAdd(Vec a, Vec b, Vec sum) { return Vec::addPairs(a, b, sum); }
};

void narrow(const float* panel, int64_t stride, Range rows, Bfloat16Pair* narrowed) {
  for (int64_t at = rows.begin * stride; at < rows.end * stride; at += 2 * Vec::kLanes) {
    Vec::storeHalves(Vec::load(panel + at), Vec::load(panel + at + Vec::kLanes), &narrowed[at / 2].bits);
  }
}
