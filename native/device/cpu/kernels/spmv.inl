// One sample: matrix times vector. A panel would be mostly padding.

/// Plain CSR, four rows side by side, so that no sum waits for itself. Scalar: fetching sixteen numbers by
/// one instruction takes longer than one by one.
inline void rowsTimesVector(const MatrixView& m, const float* input, float* output, Range rows) {
  constexpr int64_t kAtOnce = 4;
  const auto add = [&](float& sum, int64_t entry) {
    sum = Vec::fma(m.values[entry], input[m.indices[entry]], sum);
  };
  int64_t row = rows.begin;
  for (; row + kAtOnce <= rows.end; row += kAtOnce) {
    const int64_t *const begins = m.begins + row, *const ends = m.ends + row;
    // Variables of their own: of an array the compiler would make a vector, and fill it lane by lane.
    float a = 0, b = 0, c = 0, d = 0;
    const int64_t shortest = std::min(std::min(ends[0] - begins[0], ends[1] - begins[1]),
                                      std::min(ends[2] - begins[2], ends[3] - begins[3]));
    for (int64_t i = 0; i < shortest; ++i) {
      add(a, begins[0] + i);
      add(b, begins[1] + i);
      add(c, begins[2] + i);
      add(d, begins[3] + i);
    }
    for (int64_t entry = begins[0] + shortest; entry < ends[0]; ++entry) add(a, entry);
    for (int64_t entry = begins[1] + shortest; entry < ends[1]; ++entry) add(b, entry);
    for (int64_t entry = begins[2] + shortest; entry < ends[2]; ++entry) add(c, entry);
    for (int64_t entry = begins[3] + shortest; entry < ends[3]; ++entry) add(d, entry);
    output[row] = a;
    output[row + 1] = b;
    output[row + 2] = c;
    output[row + 3] = d;
  }
  for (; row < rows.end; ++row) {
    float sum = 0;
    for (int64_t entry = m.begins[row]; entry < m.ends[row]; ++entry) add(sum, entry);
    output[row] = sum;
  }
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
  if (shape == BlockShape{1, 1}) return rowsTimesVector(m, input, output, blockRows);
  auto times = anyBlocksTimesVector;
  if (shape == BlockShape{4, 1}) times = columnBlocksTimesVector<4>;
  if (shape == BlockShape{4, 4}) times = blocksTimesVector<4, 4>;
  if (shape == BlockShape{8, 8}) times = blocksTimesVector<8, 8>;
  if (shape == BlockShape{16, 16}) times = blocksTimesVector<16, 16>;
  for (int64_t row = blockRows.begin; row < blockRows.end; ++row)
    times(m, row, input, output + row * m.blockOutputs);
}

/// The sums of a slice's rows, each in order. `V` is Vec, where that can look numbers up.
template <typename V>
void slicedSpmv(const SlicedView& m, const float* input, float* output) {
  using Table = typename V::Table;
  static_assert(Table::kSize == kSliceInputs && kSliceRows % V::kLanes == 0);
  constexpr int kVectors = kSliceRows / V::kLanes;  // sums that do not wait for each other
  const float* values = m.values;
  const uint8_t *places = m.places, *depths = m.depths;
  for (int64_t slice = 0; slice < m.slices; ++slice) {
    V sums[kVectors];
    for (V& sum : sums) sum = V::zero();
    for (int64_t tile = 0; tile < m.tiles; ++tile) {
      const Table table(input + tile * kSliceInputs);
      for (int depth = *depths++; depth > 0; --depth) {
        for (int v = 0; v < kVectors; ++v)
          sums[v] = V::fma(V::load(values + v * V::kLanes), table.at(places + v * V::kLanes), sums[v]);
        values += kSliceRows;
        places += kSliceRows;
      }
    }
    for (int v = 0; v < kVectors; ++v) sums[v].store(output + slice * kSliceRows + v * V::kLanes);
  }
}

/// Null where vectors are not able to.
template <typename V>
constexpr auto slicedSpmvOf() -> void (*)(const SlicedView&, const float*, float*) {
  if constexpr (requires { typename V::Table; }) {
    return slicedSpmv<V>;
  } else {
    return nullptr;
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
