// Dropping activations and weights out.

/// randomBits of kBlocks consecutive indices, as four arrays: every step is one operation on a whole array,
/// which the compiler turns into vectors.
constexpr int kBlocks = kPanelUnit;

struct PhiloxBlocks {
  uint32_t lane[4][kBlocks];
};

inline void philoxBlocks(uint64_t seed, RandomPurpose purpose, uint32_t layer, uint64_t first,
                         PhiloxBlocks& b) {
  for (int i = 0; i < kBlocks; ++i) {
    const uint64_t index = first + static_cast<uint64_t>(i);
    b.lane[0][i] = static_cast<uint32_t>(index);
    b.lane[1][i] = static_cast<uint32_t>(index >> 32);
    b.lane[2][i] = layer;
    b.lane[3][i] = static_cast<uint32_t>(purpose);
  }
  auto key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kBlocks; ++i) {
      const uint64_t a = uint64_t{0xD2511F53u} * b.lane[0][i];
      const uint64_t c = uint64_t{0xCD9E8D57u} * b.lane[2][i];
      b.lane[0][i] = static_cast<uint32_t>(c >> 32) ^ b.lane[1][i] ^ key0;
      b.lane[2][i] = static_cast<uint32_t>(a >> 32) ^ b.lane[3][i] ^ key1;
      b.lane[1][i] = static_cast<uint32_t>(c);
      b.lane[3][i] = static_cast<uint32_t>(a);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

/// What is dropped at this rate are the values whose random number is below this.
inline uint32_t dropThreshold(float rate) {
  return static_cast<uint32_t>(std::min(4294967295.0, std::ceil(double{rate} * 4294967296.0)));
}

void dropout(float rate, uint64_t seed, int64_t firstSample, float* panel, int64_t stride, Range rows) {
  const float scale = 1.0f / (1.0f - rate);
  const uint32_t threshold = dropThreshold(rate);
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t sample = 0; sample < stride; sample += 4 * kBlocks) {
      PhiloxBlocks bits;
      philoxBlocks(seed, RandomPurpose::Dropout, static_cast<uint32_t>(row),
                   static_cast<uint64_t>((firstSample + sample) / 4), bits);
      float* const values = panel + row * stride + sample;
      const int64_t blocks = std::min<int64_t>(kBlocks, (stride - sample) / 4);
      for (int64_t i = 0; i < blocks; ++i) {
        for (int k = 0; k < 4; ++k) {
          float& value = values[4 * i + k];
          value = bits.lane[k][i] >= threshold ? value * scale : 0.0f;
        }
      }
    }
  }
}

void dropConnect(float rate, uint64_t seed, int64_t first, const float* from, float* to, int64_t count) {
  constexpr int64_t kNumbers = 4 * kBlocks;
  const Vec scale = Vec::all(1.0f / (1.0f - rate)), zero = Vec::zero();
  const uint32_t threshold = dropThreshold(rate);
  const int64_t end = first + count;
  for (int64_t start = first / 4 * 4; start < end; start += kNumbers) {
    PhiloxBlocks bits;
    philoxBlocks(seed, RandomPurpose::DropConnect, 0, static_cast<uint64_t>(start / 4), bits);
    // Room for a last vector that begins anywhere.
    float kept[kNumbers + Vec::kLanes] = {};
    for (int i = 0; i < kBlocks; ++i) {
      for (int k = 0; k < 4; ++k) kept[4 * i + k] = bits.lane[k][i] >= threshold ? 1.0f : 0.0f;
    }
    const int64_t stop = std::min(end, start + kNumbers);
    for (int64_t i = std::max(first, start); i < stop; i += Vec::kLanes) {
      const int64_t size = std::min<int64_t>(Vec::kLanes, stop - i);
      const Vec scaled = Vec::loadPart(from + (i - first), size) * scale;
      Vec::select(Vec::less(zero, Vec::load(kept + (i - start))), scaled, zero)
          .storePart(to + (i - first), size);
    }
  }
}
