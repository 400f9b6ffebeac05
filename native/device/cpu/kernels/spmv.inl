// One sample: matrix times vector. A panel would be mostly padding.

/// Plain CSR. Scalar: fetching sixteen numbers by one instruction takes longer than one by one.
inline float rowTimesVector(const MatrixView& m, int64_t row, const float* input) {
  const float* const values = m.values;
  const int32_t* const columns = m.indices;
  // Variables of their own: of an array the compiler would make a vector, and fill it lane by lane.
  float a = 0, b = 0, c = 0, d = 0;
  const int64_t end = m.ends[row];
  int64_t entry = m.begins[row];
  for (; entry + 4 <= end; entry += 4) {
    a = Vec::fma(values[entry], input[columns[entry]], a);
    b = Vec::fma(values[entry + 1], input[columns[entry + 1]], b);
    c = Vec::fma(values[entry + 2], input[columns[entry + 2]], c);
    d = Vec::fma(values[entry + 3], input[columns[entry + 3]], d);
  }
  for (; entry < end; ++entry) a = Vec::fma(values[entry], input[columns[entry]], a);
  return (a + b) + (c + d);
}

/// Blocks of one column: the lanes are rows.
template <int Rows>
inline void columnBlocksTimesVector(const MatrixView& m, int64_t row, const float* input, float* output) {
  constexpr int kAtOnce = 4;  // sums that do not wait for each other
  Vec sums[kAtOnce] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
  const auto add = [&](Vec& sum, int64_t entry) {
    sum = Vec::fma(Vec::loadPart(m.values + entry * Rows, Rows), Vec::all(input[m.indices[entry]]), sum);
  };
  const int64_t end = m.ends[row];
  int64_t entry = m.begins[row];
  for (; entry + kAtOnce <= end; entry += kAtOnce) {
    for (int i = 0; i < kAtOnce; ++i) add(sums[i], entry + i);
  }
  for (; entry < end; ++entry) add(sums[0], entry);
  ((sums[0] + sums[1]) + (sums[2] + sums[3])).storePart(output, Rows);
}

/// Blocks that are whole vectors: the lanes are the weights of a block, one or more rows of it at once.
template <int Rows, int Columns>
inline void blocksTimesVector(const MatrixView& m, int64_t row, const float* input, float* output) {
  constexpr int kVectors = Rows * Columns / Vec::kLanes;
  constexpr int kPiece = Columns < Vec::kLanes ? Columns : Vec::kLanes;
  constexpr int kPieces = Columns / kPiece;
  Vec sums[kVectors];
  for (Vec& each : sums) each = Vec::zero();
  for (int64_t entry = m.begins[row]; entry < m.ends[row]; ++entry) {
    const float* const values = m.values + entry * Rows * Columns;
    Vec x[kPieces];
    for (int i = 0; i < kPieces; ++i)
      x[i] = Vec::template repeat<kPiece>(input + int64_t{m.indices[entry]} * Columns + i * kPiece);
    for (int v = 0; v < kVectors; ++v)
      sums[v] = Vec::fma(Vec::load(values + v * Vec::kLanes), x[v % kPieces], sums[v]);
  }
  float lanes[Rows * Columns];
  for (int v = 0; v < kVectors; ++v) sums[v].store(lanes + v * Vec::kLanes);
  for (int i = 0; i < Rows; ++i) {
    output[i] = 0;
    for (int j = 0; j < Columns; ++j) output[i] += lanes[i * Columns + j];
  }
}

inline void anyBlocksTimesVector(const MatrixView& m, int64_t row, const float* input, float* output) {
  const int64_t rows = m.blockOutputs, columns = m.blockInputs;
  std::fill_n(output, rows, 0.0f);
  for (int64_t entry = m.begins[row]; entry < m.ends[row]; ++entry) {
    const float* const values = m.values + entry * rows * columns;
    const float* const x = input + m.indices[entry] * columns;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) output[i] = Vec::fma(values[i * columns + j], x[j], output[i]);
    }
  }
}

void spmv(const MatrixView& m, const float* input, float* output, Range blockRows) {
  const BlockShape shape{m.blockOutputs, m.blockInputs};
  auto times = anyBlocksTimesVector;
  if (shape == BlockShape{4, 1}) times = columnBlocksTimesVector<4>;
  if (shape == BlockShape{4, 4}) times = blocksTimesVector<4, 4>;
  if (shape == BlockShape{8, 8}) times = blocksTimesVector<8, 8>;
  if (shape == BlockShape{16, 16}) times = blocksTimesVector<16, 16>;
  for (int64_t row = blockRows.begin; row < blockRows.end; ++row) {
    if (shape == BlockShape{1, 1}) {
      output[row] = rowTimesVector(m, row, input);
    } else {
      times(m, row, input, output + row * m.blockOutputs);
    }
  }
}

void gemv(const float* weight, int64_t inputs, const float* input, float* output, Range rows) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const float* const weights = weight + row * inputs;
    Vec sums[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
    int64_t i = 0;
    for (; i + 4 * Vec::kLanes <= inputs; i += 4 * Vec::kLanes) {
      for (int64_t k = 0; k < 4; ++k) {
        const int64_t at = i + k * Vec::kLanes;
        sums[k] = Vec::fma(Vec::load(weights + at), Vec::load(input + at), sums[k]);
      }
    }
    for (; i < inputs; i += Vec::kLanes) {
      const int64_t width = std::min<int64_t>(Vec::kLanes, inputs - i);
      sums[0] = Vec::fma(Vec::loadPart(weights + i, width), Vec::loadPart(input + i, width), sums[0]);
    }
    output[row] = laneSum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
}
