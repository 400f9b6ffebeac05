// Bringing samples into panels, and dropping activations out.

constexpr int64_t kGatherAhead = 64;

/// `width` features of a vector's worth of samples, transposed in registers. Samples from `count` on are
/// padding.
inline void gatherTile(const float* const* rows, int64_t count, int64_t feature, int64_t width, float* panel,
                       int64_t stride, int64_t firstSample) {
  Vec tile[Vec::kLanes];
  for (int64_t i = 0; i < Vec::kLanes; ++i) {
    if (firstSample + i >= count) {
      tile[i] = Vec::zero();
    } else {
      const float* const source = rows[firstSample + i] + feature;
      // Sixteen rows at once are more streams than the processor sees by itself.
      __builtin_prefetch(source + kGatherAhead);
      tile[i] = width == Vec::kLanes ? Vec::load(source) : Vec::loadPart(source, width);
    }
  }
  Vec::transpose(tile);
  for (int64_t f = 0; f < width; ++f) tile[f].store(panel + (feature + f) * stride + firstSample);
}

void gatherPanel(const float* const* rows, int64_t count, float* panel, int64_t stride, Range features) {
  for (int64_t sample = 0; sample < stride; sample += Vec::kLanes) {
    for (int64_t feature = features.begin; feature < features.end; feature += Vec::kLanes) {
      const int64_t width = std::min<int64_t>(Vec::kLanes, features.end - feature);
      gatherTile(rows, count, feature, width, panel, stride, sample);
    }
  }
}

/// randomBits of kBlocks consecutive indices, as four arrays: every step is one operation on a whole array,
/// which the compiler turns into vectors.
constexpr int kBlocks = kPanelUnit;

struct PhiloxBlocks {
  uint32_t lane[4][kBlocks];
};

inline void philoxBlocks(uint64_t seed, uint32_t layer, uint32_t first, PhiloxBlocks& b) {
  for (int i = 0; i < kBlocks; ++i) {
    b.lane[0][i] = first + static_cast<uint32_t>(i);
    b.lane[1][i] = 0;
    b.lane[2][i] = layer;
    b.lane[3][i] = static_cast<uint32_t>(RandomPurpose::Dropout);
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

void dropout(float rate, uint64_t seed, int64_t firstSample, float* panel, int64_t stride, Range rows) {
  const float scale = 1.0f / (1.0f - rate);
  const auto threshold =
      static_cast<uint32_t>(std::min(4294967295.0, std::ceil(double{rate} * 4294967296.0)));
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t sample = 0; sample < stride; sample += 4 * kBlocks) {
      PhiloxBlocks bits;
      philoxBlocks(seed, static_cast<uint32_t>(row), static_cast<uint32_t>((firstSample + sample) / 4), bits);
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
