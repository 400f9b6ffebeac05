// Products of blocks by matrix units. A block is cut into tiles of 16 or 8 outputs x 16 or 8 inputs.

/// The side of the tiles that a side of a block is cut into.
constexpr int tileSide(int blockSide) {
  return blockSide % 16 == 0 ? 16 : 8;
}

/// Weights of a tile, rows of outputs: rounded to bfloat16, and what that took away, rounded too, so that
/// products have the weights to 16 bits.
struct WeightTile {
  static constexpr int64_t kPitch = 16 * sizeof(uint16_t);
  alignas(64) uint16_t high[16][16];
  alignas(64) uint16_t low[16][16];
};

inline __m512 widened(__m256bh numbers) {
  const __m512i words = _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(numbers));
  return _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
}

/// weights[output x pitch + input].
inline void splitRows(const float* weights, int64_t pitch, int outputs, int inputs, WeightTile& tile) {
  for (int i = 0; i < outputs; ++i) {
    const __m512 row = Vec::loadPart(weights + i * pitch, inputs).v;
    const __m256bh high = _mm512_cvtneps_pbh(row);
    _mm256_store_si256(reinterpret_cast<__m256i*>(tile.high[i]), reinterpret_cast<__m256i>(high));
    const __m256bh low = _mm512_cvtneps_pbh(_mm512_sub_ps(row, widened(high)));
    _mm256_store_si256(reinterpret_cast<__m256i*>(tile.low[i]), reinterpret_cast<__m256i>(low));
  }
}

/// Eight rows of 16 words become 16 rows of eight.
inline void storeTurned(const __m512i (&rows)[8], uint16_t (*to)[16]) {
  __m512 quads[8];
  for (int half = 0; half < 8; half += 4) {
    const __m512 a = _mm512_castsi512_ps(rows[half]), b = _mm512_castsi512_ps(rows[half + 1]);
    const __m512 c = _mm512_castsi512_ps(rows[half + 2]), d = _mm512_castsi512_ps(rows[half + 3]);
    const __m512d lowAb = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
    const __m512d highAb = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
    const __m512d lowCd = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
    const __m512d highCd = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
    quads[half] = _mm512_castpd_ps(_mm512_unpacklo_pd(lowAb, lowCd));
    quads[half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(lowAb, lowCd));
    quads[half + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(highAb, highCd));
    quads[half + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(highAb, highCd));
  }
  // Part p of quads[j] and quads[4 + j] are the halves of row 4 p + j.
  const __m512i front = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0),
                back = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
  for (int j = 0; j < 4; ++j) {
    const __m512d first = _mm512_castps_pd(quads[j]), second = _mm512_castps_pd(quads[4 + j]);
    const __m512d upper = _mm512_permutex2var_pd(first, front, second);
    const __m512d lower = _mm512_permutex2var_pd(first, back, second);
    _mm256_store_pd(reinterpret_cast<double*>(to[j]), _mm512_castpd512_pd256(upper));
    _mm256_store_pd(reinterpret_cast<double*>(to[4 + j]), _mm512_extractf64x4_pd(upper, 1));
    _mm256_store_pd(reinterpret_cast<double*>(to[8 + j]), _mm512_castpd512_pd256(lower));
    _mm256_store_pd(reinterpret_cast<double*>(to[12 + j]), _mm512_extractf64x4_pd(lower, 1));
  }
}

/// weights[input x pitch + output].
inline void splitColumns(const float* weights, int64_t pitch, int outputs, int inputs, WeightTile& tile) {
  __m512i high[8], low[8];
  for (int k = 0; k < 8; ++k) {
    const bool exists = 2 * k < inputs;
    const float* const from = weights + 2 * k * pitch;
    const __m512 even = exists ? Vec::loadPart(from, outputs).v : _mm512_setzero_ps();
    const __m512 odd = exists ? Vec::loadPart(from + pitch, outputs).v : _mm512_setzero_ps();
    high[k] = pairedWords(even, odd);
    const __m512 evenHigh = Vec::lowHalves({_mm512_castsi512_ps(high[k])}).v;
    const __m512 oddHigh = Vec::highHalves({_mm512_castsi512_ps(high[k])}).v;
    low[k] = pairedWords(_mm512_sub_ps(even, evenHigh), _mm512_sub_ps(odd, oddHigh));
  }
  storeTurned(high, tile.high);
  storeTurned(low, tile.low);
}

/// Some weight tiles of the same outputs, and the inputs of each.
struct TileRun {
  static constexpr int kMost = 16;
  WeightTile weights[kMost];
  const uint32_t* inputs[kMost];
  int count = 0;
};

constexpr int64_t kTileRowBytes = kTileWords * sizeof(uint32_t);
/// Tiles that hold a left factor of so many groups of 32 samples.
constexpr int kLeftTiles = 4;

/// output = run x input (+ output) for Groups times 16 samples from `sample` on.
template <int Groups>
inline void multiplyRun(const TileRun& run, int64_t sample, float* output, int64_t pitch, bool accumulate) {
  constexpr int64_t kGroup = kTileWords * kGroupWords;
  float* const out = output + sample;
  unrolled<Groups>([=](auto g) { accumulate ? loadTile<g>(out + g * kTileWords, pitch) : clearTile<g>(); });
  for (int i = 0; i < run.count; ++i) {
    loadTile<6>(run.weights[i].high, WeightTile::kPitch);
    loadTile<7>(run.weights[i].low, WeightTile::kPitch);
    const uint32_t* const input = run.inputs[i] + sample * kGroupWords;
    unrolled<Groups>([=](auto g) {
      loadTile<5>(input + g * kGroup, kTileRowBytes);
      multiplyTiles<g, 6, 5>();
      multiplyTiles<g, 7, 5>();
    });
  }
  unrolled<Groups>([=](auto g) { storeTile<g>(out + g * kTileWords, pitch); });
}

/// Where a tile of features begins in its group, in either form.
inline const uint32_t* pairsOfFeatures(const Bfloat16Tile* panel, int64_t feature, int64_t stride) {
  const int64_t within = feature % kTileFeatures;
  return &panel[(feature - within) * stride].bits + within / 2 * kTileWords;
}
inline const uint32_t* pairsOfSamples(const Bfloat16Tile* panel, int64_t feature, int64_t stride,
                                      int64_t step) {
  const int64_t within = feature % kTileFeatures;
  return &panel[(feature - within) * stride].bits + kGroupWords * stride + within * step;
}

void tiledSpmm(const MatrixView& m, const Bfloat16Tile* input, float* output, int64_t stride, Range blockRows,
               bool accumulate) {
  constexpr int kGroups = 4;  // of 16 samples, whose sums are in tiles together
  const int outputs = tileSide(m.blockOutputs), inputs = tileSide(m.blockInputs);
  const TileShapes::Shape sums{outputs, 64}, weights{outputs, 2 * inputs}, pairs{inputs / 2, 64};
  const TileShapes shapes({sums, sums, sums, sums, {}, pairs, weights, weights});
  const int64_t pitch = stride * static_cast<int64_t>(sizeof(float));
  const int64_t size = int64_t{m.blockOutputs} * m.blockInputs;
  const auto split = m.inputStride == 1 ? splitRows : splitColumns;
  const int64_t weightPitch = m.inputStride == 1 ? m.outputStride : m.inputStride;
  TileRun run;
  for (int64_t row = blockRows.begin; row < blockRows.end; ++row) {
    for (int32_t first = 0; first < m.blockOutputs; first += outputs) {
      float* const out = output + (row * m.blockOutputs + first) * stride;
      bool adds = accumulate;
      const auto flush = [&] {
        int64_t sample = 0;
        for (; sample + kGroups * kTileWords <= stride; sample += kGroups * kTileWords)
          multiplyRun<kGroups>(run, sample, out, pitch, adds);
        for (; sample < stride; sample += 2 * kTileWords) multiplyRun<2>(run, sample, out, pitch, adds);
        run.count = 0;
        adds = true;
      };
      for (int64_t entry = m.begins[row]; entry < m.ends[row]; ++entry) {
        const int64_t slot = m.valueIndex != nullptr ? m.valueIndex[entry] : entry;
        const float* const block = m.values + slot * size + first * m.outputStride;
        for (int32_t k = 0; k < m.blockInputs; k += inputs) {
          split(block + k * m.inputStride, weightPitch, outputs, inputs, run.weights[run.count]);
          const int64_t feature = int64_t{m.indices[entry]} * m.blockInputs + k;
          run.inputs[run.count++] = pairsOfFeatures(input, feature, stride);
          if (run.count == TileRun::kMost) flush();
        }
      }
      if (run.count > 0 || !adds) flush();
    }
  }
}

/// Loads `groups` groups of 32 samples of a left factor into the tiles from 4 on.
inline void loadLeft(const uint32_t* left, int64_t groups) {
  unrolled<kLeftTiles>([=](auto g) {
    if (g < groups) loadTile<4 + g>(left + g * kTileWords * kTileFeatures, kTileRowBytes);
  });
}

/// sums[t] += the left factor in the tiles from 4 on x right[t], for Count tiles of sums.
template <int Count>
inline void multiplySamples(const uint32_t* const* right, int64_t first, int64_t groups) {
  unrolled<kLeftTiles>([=](auto g) {
    if (g >= groups) return;
    unrolled<Count>([=](auto t) {
      loadTile<3>(right[t] + (first + g) * kTileWords * kTileFeatures, kTileRowBytes);
      multiplyTiles<t, 4 + g, 3>();
    });
  });
}

/// Where gradients of a tile go, and its shape.
struct GradientTile {
  int rows, columns;
  int64_t pitch;
};

/// gradient += tile, which is summed by itself first, as it is where panels go side by side.
template <int Tile>
inline void addTile(const GradientTile& shape, float* gradient) {
  alignas(64) float sums[kTileFeatures][kTileWords];
  storeTile<Tile>(sums, kTileRowBytes);
  for (int i = 0; i < shape.rows; ++i) {
    float* const row = gradient + i * shape.pitch;
    (Vec::loadPart(row, shape.columns) + Vec::load(sums[i])).storePart(row, shape.columns);
  }
}

/// The gradients of Count tiles: gradient[t] (+)= left x right[t]. The left factor is in its tiles already
/// where these hold all of it.
template <int Count>
inline void gradientsOfTiles(const GradientTile& shape, const uint32_t* left, int64_t groups,
                             const uint32_t* const* right, float* const* gradient, bool accumulate) {
  unrolled<Count>([](auto t) { clearTile<t>(); });
  for (int64_t first = 0; first < groups; first += kLeftTiles) {
    const int64_t some = std::min<int64_t>(kLeftTiles, groups - first);
    if (groups > kLeftTiles) loadLeft(left + first * kTileWords * kTileFeatures, some);
    multiplySamples<Count>(right, first, some);
  }
  const int64_t pitch = shape.pitch * static_cast<int64_t>(sizeof(float));
  unrolled<Count>([=, &shape](auto t) {
    accumulate ? addTile<t>(shape, gradient[t]) : storeTile<t>(gradient[t], pitch);
  });
}

void tiledSddmm(const MatrixView& m, const Bfloat16Tile* outputGradient, const Bfloat16Tile* input,
                int64_t stride, Range blockRows, int64_t firstEntry, bool accumulate, float* gradient) {
  constexpr int kTiles = 3;
  const int outputs = tileSide(m.blockOutputs), inputs = tileSide(m.blockInputs);
  const TileShapes::Shape sums{outputs, 4 * inputs}, leftFactor{outputs, 64}, rightFactor{16, 4 * inputs};
  const TileShapes shapes({sums, sums, sums, rightFactor, leftFactor, leftFactor, leftFactor, leftFactor});
  const GradientTile tile{outputs, inputs, m.blockInputs};
  const int64_t size = int64_t{m.blockOutputs} * m.blockInputs, groups = stride / (2 * kTileWords);
  for (int64_t row = blockRows.begin; row < blockRows.end; ++row) {
    for (int32_t first = 0; first < m.blockOutputs; first += outputs) {
      const uint32_t* const left =
          pairsOfSamples(outputGradient, row * m.blockOutputs + first, stride, kTileWords);
      if (groups <= kLeftTiles) loadLeft(left, groups);
      const uint32_t* right[kTiles];
      float* targets[kTiles];
      int count = 0;
      for (int64_t entry = m.begins[row]; entry < m.ends[row]; ++entry) {
        for (int32_t k = 0; k < m.blockInputs; k += inputs) {
          right[count] = pairsOfSamples(input, int64_t{m.indices[entry]} * m.blockInputs + k, stride, 1);
          targets[count++] = gradient + (entry - firstEntry) * size + first * m.blockInputs + k;
          if (count < kTiles) continue;
          gradientsOfTiles<kTiles>(tile, left, groups, right, targets, accumulate);
          count = 0;
        }
      }
      for (int i = 0; i < count; ++i)
        gradientsOfTiles<1>(tile, left, groups, right + i, targets + i, accumulate);
    }
  }
}
