// Panels in the forms that matrix units take.

/// Words in a row of a tile, and of a group of features in one form, for each sample.
constexpr int kTileWords = 16;
constexpr int kGroupWords = kTileFeatures / 2;

/// low and high, rounded to bfloat16, in the halves of each word.
inline __m512i pairedWords(__m512 low, __m512 high) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                                         22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
}

/// Row `row` of a group of which so many exist.
inline __m512 rowOfGroup(const float* group, int64_t stride, int64_t row, int64_t exist) {
  return row < exist ? _mm512_loadu_ps(group + row * stride) : _mm512_setzero_ps();
}

inline void pairFeatures(const float* group, int64_t stride, int64_t rows, uint32_t* words) {
  for (int64_t sample = 0; sample < stride; sample += kTileWords) {
    for (int row = 0; row < kTileFeatures; row += 2, words += kTileWords) {
      const float* const from = group + sample;
      _mm512_store_si512(
          words, pairedWords(rowOfGroup(from, stride, row, rows), rowOfGroup(from, stride, row + 1, rows)));
    }
  }
}

template <bool Right>
inline void pairSamples(const float* group, int64_t stride, int64_t rows, uint32_t* words) {
  for (int64_t sample = 0; sample < stride; sample += 2 * kTileWords) {
    const float* const from = group + sample;
    Vec tile[kTileFeatures];
    for (int row = 0; row < kTileFeatures; ++row) {
      const __m512i pairs = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(
          rowOfGroup(from + kTileWords, stride, row, rows), rowOfGroup(from, stride, row, rows)));
      tile[row].v = _mm512_castsi512_ps(pairs);
    }
    if constexpr (Right) Vec::transpose(tile);
    for (const Vec& row : tile) {
      _mm512_store_ps(words, row.v);
      words += kTileWords;
    }
  }
}

void narrowToTiles(const float* from, int64_t stride, Range rows, const TileForms& forms,
                   Bfloat16Tile* tiles) {
  using OfSamples = TileForms::OfSamples;
  for (int64_t first = rows.begin; first < rows.end; first += kTileFeatures) {
    const float* const group = from + (first - rows.begin) * stride;
    const int64_t exist = std::min<int64_t>(kTileFeatures, rows.end - first);
    uint32_t* const ofFeatures = &tiles[first * stride].bits;
    uint32_t* const ofSamples = ofFeatures + kGroupWords * stride;
    if (forms.ofFeatures) pairFeatures(group, stride, exist, ofFeatures);
    if (forms.ofSamples == OfSamples::LeftFactor) pairSamples<false>(group, stride, exist, ofSamples);
    if (forms.ofSamples == OfSamples::RightFactor) pairSamples<true>(group, stride, exist, ofSamples);
  }
}
