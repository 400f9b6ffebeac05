// Bringing samples into panels.

constexpr int64_t kGatherAhead = 64;

/// `width` features of a vector's worth of samples, transposed in registers. Samples from `count` on are
/// padding.
inline void gatherTile(const float* const* rows, int64_t count, int64_t feature, int64_t width, float* to,
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
  for (int64_t f = 0; f < width; ++f) tile[f].store(to + f * stride + firstSample);
}

void gatherPanel(const float* const* rows, int64_t count, float* to, int64_t stride, Range features) {
  for (int64_t sample = 0; sample < stride; sample += Vec::kLanes) {
    for (int64_t feature = features.begin; feature < features.end; feature += Vec::kLanes) {
      const int64_t width = std::min<int64_t>(Vec::kLanes, features.end - feature);
      gatherTile(rows, count, feature, width, to + (feature - features.begin) * stride, stride, sample);
    }
  }
}
