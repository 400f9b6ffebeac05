// Sampled dense times dense: the gradient of the weights that exist. `pitch`: elements of a row of samples.

/// Entries begin .. end of one row of plain CSR, Count at a time.
template <int Count, bool Accumulate, typename Element, typename Pitch>
inline int64_t sddmmRun(const int32_t* columns, int64_t begin, int64_t end, const Element* dy,
                        const Element* input, Pitch pitch, float* gradient) {
  int64_t entry = begin;
  for (; entry + Count <= end; entry += Count) {
    const Element* x[Count];
    for (int j = 0; j < Count; ++j) x[j] = scalarAddress(input + columns[entry + j] * pitch);
    settleSums<Accumulate>(rowTileSums<Count>(dy, x, pitch), Count, gradient + entry - begin);
  }
  return entry;
}

template <bool Accumulate, typename Element, typename Pitch>
inline void sddmmRow(const int32_t* columns, int64_t begin, int64_t end, const Element* dy,
                     const Element* input, Pitch pitch, float* gradient) {
  int64_t entry = sddmmRun<Vec::kLanes, Accumulate>(columns, begin, end, dy, input, pitch, gradient);
  if constexpr (Vec::kLanes > 8) {
    entry = sddmmRun<8, Accumulate>(columns, entry, end, dy, input, pitch, gradient + entry - begin);
  }
  if constexpr (Vec::kLanes > 4) {
    entry = sddmmRun<4, Accumulate>(columns, entry, end, dy, input, pitch, gradient + entry - begin);
  }
  if (entry < end) {
    const Element* x[4];
    for (int j = 0; j < 4; ++j) x[j] = input + columns[std::min(entry + j, end - 1)] * pitch;
    settleSums<Accumulate>(rowTileSums<4>(dy, x, pitch), end - entry, gradient + entry - begin);
  }
}

/// Blocks of 4 x 1: four rows by a quarter of a vector's lanes of entries.
template <bool Accumulate, typename Element, typename Pitch>
inline void sddmmFourByOne(const MatrixView& m, int64_t row, const Element* const* dy, const Element* input,
                           Pitch pitch, float* gradient) {
  constexpr int kEntries = Vec::kLanes / 4;
  constexpr int64_t kAhead = 2 * kEntries;  // between asking and using
  const int64_t begin = m.begins[row], end = m.ends[row];
  const Element* x[kEntries];
  int64_t entry = begin;
  // Rows and columns change places, so that the lanes come out as the values lie: entry by entry.
  for (; entry + kEntries <= end; entry += kEntries) {
    if constexpr (Vec::kFetchesInputs) {
      for (int64_t ahead = entry + kAhead; ahead < std::min(entry + kAhead + kEntries, end); ++ahead)
        fetchSamples(input + m.indices[ahead] * pitch, pitch);
    }
    for (int j = 0; j < kEntries; ++j) x[j] = input + m.indices[entry + j] * pitch;
    settleSums<Accumulate>(tileSums<kEntries, 4>(x, dy, pitch), Vec::kLanes, gradient + (entry - begin) * 4);
  }
  if (entry < end) {
    for (int j = 0; j < kEntries; ++j) x[j] = input + m.indices[std::min(entry + j, end - 1)] * pitch;
    settleSums<Accumulate>(tileSums<kEntries, 4>(x, dy, pitch), 4 * (end - entry),
                           gradient + (entry - begin) * 4);
  }
}

/// Blocks whose sides are whole tiles, of which a row has few or which have no kernel of their own.
template <bool Accumulate, typename Element, typename Pitch>
inline void sddmmTiled(const MatrixView& m, int64_t row, const Element* outputGradient, const Element* input,
                       Pitch pitch, float* gradient) {
  constexpr int kRows = Vec::kLanes / 4, kColumns = 4;
  const int32_t blockRows = m.blockOutputs, blockColumns = m.blockInputs;
  for (int64_t entry = m.begins[row]; entry < m.ends[row]; ++entry) {
    const Element* const block = input + int64_t{m.indices[entry]} * blockColumns * pitch;
    for (int32_t i = 0; i < blockRows; i += kRows) {
      const Element* dy[kRows];
      for (int k = 0; k < kRows; ++k) dy[k] = outputGradient + (row * blockRows + i + k) * pitch;
      for (int32_t j = 0; j < blockColumns; j += kColumns) {
        const Element* x[kColumns];
        for (int k = 0; k < kColumns; ++k) x[k] = block + (j + k) * pitch;
        storeTile<kRows, Accumulate>(tileSums<kRows, kColumns>(dy, x, pitch), gradient + i * blockColumns + j,
                                     blockColumns);
      }
    }
    gradient += int64_t{blockRows} * blockColumns;
  }
}

/// Any other block: one row of it at a time.
template <bool Accumulate, typename Element, typename Pitch>
inline void sddmmAnyBlock(const MatrixView& m, int64_t row, const Element* outputGradient,
                          const Element* input, Pitch pitch, float* gradient) {
  const int32_t blockRows = m.blockOutputs, blockColumns = m.blockInputs;
  for (int64_t entry = m.begins[row]; entry < m.ends[row]; ++entry) {
    const int64_t column = int64_t{m.indices[entry]} * blockColumns;
    for (int32_t i = 0; i < blockRows; ++i) {
      const Element* const dy = outputGradient + (row * blockRows + i) * pitch;
      for (int32_t j = 0; j < blockColumns; j += 4) {
        const int32_t width = std::min(4, blockColumns - j);
        const Element* x[4];
        for (int k = 0; k < 4; ++k) x[k] = input + (column + j + std::min(k, width - 1)) * pitch;
        settleSums<Accumulate>(rowTileSums<4>(dy, x, pitch), width, gradient + i * blockColumns + j);
      }
    }
    gradient += int64_t{blockRows} * blockColumns;
  }
}

/// The columns and the row of output gradients of a row to come, and where its gradients go.
template <typename Element>
[[gnu::noinline]] void fetchAhead(const MatrixView& m, int64_t row, const Element* outputGradient,
                                  int64_t pitch, int64_t firstEntry, const float* gradient) {
  keepCalls();
  const Range entries{m.begins[row], m.ends[row]};
  const int64_t size = int64_t{m.blockOutputs} * m.blockInputs;
  fetchLines(m.indices + entries.begin, entries.size());
  fetchLines(gradient + (entries.begin - firstEntry) * size, entries.size() * size);
  fetchLines(outputGradient + row * m.blockOutputs * pitch, m.blockOutputs * pitch);
}

template <bool Accumulate, typename Element, typename Pitch>
inline void sddmmRows(const MatrixView& m, const Element* outputGradient, const Element* input, Pitch pitch,
                      Range blockRows, int64_t firstEntry, float* gradient) {
  const BlockShape shape{m.blockOutputs, m.blockInputs};
  const int64_t fetched = m.fetchAhead ? blockRows.end - kLookupsAhead : 0;
  for (int64_t row = blockRows.begin; row < blockRows.end; ++row) {
    if (row < fetched) fetchAhead(m, row + kLookupsAhead, outputGradient, pitch, firstEntry, gradient);
    const int64_t begin = m.begins[row];
    float* const target = gradient + (begin - firstEntry) * shape.size();
    if (shape == BlockShape{1, 1}) {
      sddmmRow<Accumulate>(m.indices, begin, m.ends[row], outputGradient + row * pitch, input, pitch, target);
    } else if (shape == BlockShape{4, 1}) {
      const Element* dy[4];
      for (int i = 0; i < 4; ++i) dy[i] = outputGradient + (row * 4 + i) * pitch;
      sddmmFourByOne<Accumulate>(m, row, dy, input, pitch, target);
    } else if (Vec::kSumsQuads && m.hasLongRows && isSquareBlock(shape)) {
      sddmmQuads<Accumulate>(m, row, outputGradient, input, pitch, target);
    } else if (shape.rows % (Vec::kLanes / 4) == 0 && shape.columns % 4 == 0) {
      sddmmTiled<Accumulate>(m, row, outputGradient, input, pitch, target);
    } else {
      sddmmAnyBlock<Accumulate>(m, row, outputGradient, input, pitch, target);
    }
  }
}

template <typename Element>
void sddmm(const MatrixView& m, const Element* outputGradient, const Element* input, int64_t stride,
           Range blockRows, int64_t firstEntry, bool accumulate, float* gradient) {
  withPitch<Element>(stride, [&](auto pitch) {
    const auto rows =
        accumulate ? sddmmRows<true, Element, decltype(pitch)> : sddmmRows<false, Element, decltype(pitch)>;
    rows(m, outputGradient, input, pitch, blockRows, firstEntry, gradient);
  });
}
