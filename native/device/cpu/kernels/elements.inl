// What panels hold: floats, or pairs of bfloat16.

/// How elements become vectors: kVectors of consecutive samples from a vector's worth of elements.
template <typename Element>
struct Elements;

template <>
struct Elements<float> {
  static constexpr int kVectors = 1;

  template <int Vector>
  static Vec load(const float* p) {
    return Vec::load(p);
  }
};

/// The low halves of a vector of pairs are its first samples, the high halves those that follow.
template <>
struct Elements<Bfloat16Pair> {
  static constexpr int kVectors = 2;

  template <int Vector>
  static Vec load(const Bfloat16Pair* p) {
    return Vector == 0 ? Vec::lowHalves(&p->bits) : Vec::highHalves(&p->bits);
  }
};

void narrow(const float* panel, int64_t stride, Range rows, Bfloat16Pair* narrowed) {
  for (int64_t at = rows.begin * stride; at < rows.end * stride; at += 2 * Vec::kLanes) {
    Vec::storeHalves(Vec::load(panel + at), Vec::load(panel + at + Vec::kLanes), &narrowed[at / 2].bits);
  }
}
