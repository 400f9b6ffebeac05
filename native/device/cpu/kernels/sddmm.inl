// Sampled dense times dense: the gradient of the weights that exist, as tiles of dot products over the
// samples.

/// Dot products of Rows output gradients with Columns inputs; lane = row x Columns + column.
template <int Rows, int Columns>
inline Vec tileSums(const float* const* dy, const float* const* x, int64_t stride) {
  Vec sum[Rows * Columns];
  for (Vec& each : sum) each = Vec::zero();
  for (int64_t sample = 0; sample < stride; sample += Vec::kLanes) {
    Vec columns[Columns];
    for (int j = 0; j < Columns; ++j) columns[j] = Vec::load(x[j] + sample);
    for (int i = 0; i < Rows; ++i) {
      const Vec row = Vec::load(dy[i] + sample);
      for (int j = 0; j < Columns; ++j)
        sum[i * Columns + j] = Vec::fma(row, columns[j], sum[i * Columns + j]);
    }
  }
  return Vec::sums<Rows * Columns>(sum);
}

/// Dot products of one output gradient with Count inputs; the inputs are taken one whole row after the other.
template <int Count>
inline Vec rowTileSums(const float* dy, const float* const* x, int64_t stride) {
  Vec sum[Count];
  for (int j = 0; j < Count; ++j) sum[j] = Vec::zero();
  for (int64_t sample = 0; sample < stride; sample += Vec::kLanes) {
    const Vec row = Vec::load(dy + sample);
    for (int j = 0; j < Count; ++j) sum[j] = Vec::fma(row, Vec::load(x[j] + sample), sum[j]);
  }
  return Vec::sums<Count>(sum);
}

/// Entries begin .. end of one row of plain CSR, Count at a time.
template <int Count>
inline int64_t sddmmRun(const int32_t* columns, int64_t begin, int64_t end, const float* dy,
                        const float* input, int64_t stride, float* gradient) {
  int64_t entry = begin;
  for (; entry + Count <= end; entry += Count) {
    const float* x[Count];
    for (int j = 0; j < Count; ++j) x[j] = input + columns[entry + j] * stride;
    const Vec sums = rowTileSums<Count>(dy, x, stride);
    if constexpr (Count == Vec::kLanes) {
      sums.store(gradient + entry - begin);
    } else {
      sums.storePart(gradient + entry - begin, Count);
    }
  }
  return entry;
}

inline void sddmmRow(const int32_t* columns, int64_t begin, int64_t end, const float* dy, const float* input,
                     int64_t stride, float* gradient) {
  int64_t entry = sddmmRun<Vec::kLanes>(columns, begin, end, dy, input, stride, gradient);
  if constexpr (Vec::kLanes > 8) {
    entry = sddmmRun<8>(columns, entry, end, dy, input, stride, gradient + entry - begin);
  }
  if constexpr (Vec::kLanes > 4) {
    entry = sddmmRun<4>(columns, entry, end, dy, input, stride, gradient + entry - begin);
  }
  if (entry < end) {
    const float* x[4];
    for (int j = 0; j < 4; ++j) x[j] = input + columns[std::min(entry + j, end - 1)] * stride;
    rowTileSums<4>(dy, x, stride).storePart(gradient + entry - begin, end - entry);
  }
}

/// Blocks of 4 x 1: four rows by a quarter of a vector's lanes of entries.
inline void sddmmFourByOne(const MatrixView& m, int64_t row, const float* const* dy, const float* input,
                           int64_t stride, float* gradient) {
  constexpr int kEntries = Vec::kLanes / 4;
  const int64_t begin = m.begins[row], end = m.ends[row];
  const float* x[kEntries];
  int64_t entry = begin;
  // Rows and columns change places, so that the lanes come out as the values lie: entry by entry.
  for (; entry + kEntries <= end; entry += kEntries) {
    for (int j = 0; j < kEntries; ++j) x[j] = input + m.indices[entry + j] * stride;
    tileSums<kEntries, 4>(x, dy, stride).store(gradient + (entry - begin) * 4);
  }
  if (entry < end) {
    for (int j = 0; j < kEntries; ++j) x[j] = input + m.indices[std::min(entry + j, end - 1)] * stride;
    tileSums<kEntries, 4>(x, dy, stride).storePart(gradient + (entry - begin) * 4, 4 * (end - entry));
  }
}

/// Blocks whose sides are whole tiles.
inline void sddmmTiled(const MatrixView& m, int64_t row, const float* outputGradient, const float* input,
                       int64_t stride, float* gradient) {
  constexpr int kColumns = Vec::kLanes / 4;
  const int32_t blockRows = m.blockOutputs, blockColumns = m.blockInputs;
  for (int64_t entry = m.begins[row]; entry < m.ends[row]; ++entry) {
    const float* const block = input + int64_t{m.indices[entry]} * blockColumns * stride;
    for (int32_t i = 0; i < blockRows; i += 4) {
      const float* dy[4];
      for (int k = 0; k < 4; ++k) dy[k] = outputGradient + (row * blockRows + i + k) * stride;
      for (int32_t j = 0; j < blockColumns; j += kColumns) {
        const float* x[kColumns];
        for (int k = 0; k < kColumns; ++k) x[k] = block + (j + k) * stride;
        float sums[Vec::kLanes];
        tileSums<4, kColumns>(dy, x, stride).store(sums);
        for (int k = 0; k < 4; ++k) {
          std::memcpy(gradient + (i + k) * blockColumns + j, sums + k * kColumns, kColumns * sizeof(float));
        }
      }
    }
    gradient += int64_t{blockRows} * blockColumns;
  }
}

/// Any other block: one row of it at a time.
inline void sddmmAnyBlock(const MatrixView& m, int64_t row, const float* outputGradient, const float* input,
                          int64_t stride, float* gradient) {
  const int32_t blockRows = m.blockOutputs, blockColumns = m.blockInputs;
  for (int64_t entry = m.begins[row]; entry < m.ends[row]; ++entry) {
    const int64_t column = int64_t{m.indices[entry]} * blockColumns;
    for (int32_t i = 0; i < blockRows; ++i) {
      const float* const dy = outputGradient + (row * blockRows + i) * stride;
      for (int32_t j = 0; j < blockColumns; j += 4) {
        const int32_t width = std::min(4, blockColumns - j);
        const float* x[4];
        for (int k = 0; k < 4; ++k) x[k] = input + (column + j + std::min(k, width - 1)) * stride;
        rowTileSums<4>(dy, x, stride).storePart(gradient + i * blockColumns + j, width);
      }
    }
    gradient += int64_t{blockRows} * blockColumns;
  }
}

void sddmm(const MatrixView& m, const float* outputGradient, const float* input, int64_t stride,
           Range blockRows, int64_t firstEntry, float* gradient) {
  const BlockShape shape{m.blockOutputs, m.blockInputs};
  for (int64_t row = blockRows.begin; row < blockRows.end; ++row) {
    const int64_t begin = m.begins[row];
    float* const target = gradient + (begin - firstEntry) * shape.size();
    if (shape == BlockShape{1, 1}) {
      sddmmRow(m.indices, begin, m.ends[row], outputGradient + row * stride, input, stride, target);
    } else if (shape == BlockShape{4, 1}) {
      const float* dy[4];
      for (int i = 0; i < 4; ++i) dy[i] = outputGradient + (row * 4 + i) * stride;
      sddmmFourByOne(m, row, dy, input, stride, target);
    } else if (shape.rows % 4 == 0 && shape.columns % (Vec::kLanes / 4) == 0) {
      sddmmTiled(m, row, outputGradient, input, stride, target);
    } else {
      sddmmAnyBlock(m, row, outputGradient, input, stride, target);
    }
  }
}
