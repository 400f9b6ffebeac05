// Dense layers: the same register tiles over every input. No packing: a panel of activations is packed
// already.

template <int Rows, int OutputStride, int InputStride, int Vectors>
void denseStrips(const float* weights, int64_t outputStride, int64_t inputStride, int64_t inputs,
                 const float* input, float* output, int64_t stride, int64_t sample) {
  for (; sample + Vectors * Vec::kLanes <= stride; sample += Vectors * Vec::kLanes) {
    Vec sum[Rows][Vectors];
    for (int r = 0; r < Rows; ++r) {
      for (int s = 0; s < Vectors; ++s) sum[r][s] = Vec::zero();
    }
    addProducts<Rows, 0, OutputStride, InputStride, Vectors>(sum, weights, outputStride, inputStride,
                                                             input + sample, inputs, stride);
    storeRows(sum, output + sample, stride);
  }
  if constexpr (Vectors > 1) {
    if (sample < stride) {
      denseStrips<Rows, OutputStride, InputStride, Vectors / 2>(weights, outputStride, inputStride, inputs,
                                                                input, output, stride, sample);
    }
  }
}

/// Rows that a tile of all of them takes at once, where there are so few: with two vectors of each, sums fill
/// two thirds of the registers.
constexpr int kFewRows = Vec::kRegisters / 3;
/// Rows of a tile where there are more.
constexpr int kUsualRows = 4;

/// Vectors of a strip of so many rows.
template <int Rows>
inline constexpr int kDenseStrip = std::min<int>(8, std::bit_floor(static_cast<unsigned>(2 * Vec::kRegisters /
                                                                                         3 / Rows)));

/// One tile, of a height from 1 to the length of the sequence.
template <int OutputStride, int InputStride, int... Below>
void denseTile(int64_t height, const float* weights, int64_t outputStride, int64_t inputStride,
               int64_t inputs, const float* input, float* output, int64_t stride,
               std::integer_sequence<int, Below...>) {
  using Strips = void (*)(const float*, int64_t, int64_t, int64_t, const float*, float*, int64_t, int64_t);
  static constexpr Strips strips[] = {
      denseStrips<Below + 1, OutputStride, InputStride, kDenseStrip<Below + 1>>...};
  strips[height - 1](weights, outputStride, inputStride, inputs, input, output, stride, 0);
}

template <int OutputStride, int InputStride>
inline void denseRows(const float* weights, int64_t outputStride, int64_t inputStride, int64_t inputs,
                      const float* input, float* output, int64_t stride, Range rows) {
  const int64_t height = rows.size() <= kFewRows ? rows.size() : kUsualRows;
  for (int64_t row = rows.begin; row < rows.end; row += height) {
    denseTile<OutputStride, InputStride>(std::min(height, rows.end - row), weights + row * outputStride,
                                         outputStride, inputStride, inputs, input, output + row * stride,
                                         stride, std::make_integer_sequence<int, kFewRows>());
  }
}

void gemm(const float* weight, int64_t pitch, int64_t inputs, const float* input, float* output,
          int64_t stride, Range rows) {
  denseRows<0, 1>(weight, pitch, 1, inputs, input, output, stride, rows);
}

void gemmTransposed(const float* weight, int64_t outputs, int64_t inputs, const float* input, float* output,
                    int64_t stride, Range columns) {
  denseRows<1, 0>(weight, 1, inputs, outputs, input, output, stride, columns);
}

/// The gradients of Rows outputs: as many inputs at a time as fill a vector with the sums.
template <int Rows, bool Accumulate>
inline void gradientTile(const float* outputGradient, const float* input, int64_t inputs, int64_t stride,
                         float* gradient) {
  constexpr int kColumns = Vec::kLanes / Rows;
  const float* dy[Rows];
  const float* x[kColumns];
  for (int i = 0; i < Rows; ++i) dy[i] = outputGradient + i * stride;
  int64_t column = 0;
  for (; column + kColumns <= inputs; column += kColumns) {
    for (int j = 0; j < kColumns; ++j) x[j] = input + (column + j) * stride;
    storeTile<Rows, Accumulate>(tileSums<Rows, kColumns>(dy, x, stride), gradient + column, inputs);
  }
  if (column == inputs) return;
  for (int j = 0; j < kColumns; ++j) x[j] = input + std::min(column + j, inputs - 1) * stride;
  float sums[Rows][kColumns];
  tileSums<Rows, kColumns>(dy, x, stride).store(sums[0]);
  for (int i = 0; i < Rows; ++i) {
    for (int64_t j = 0; column + j < inputs; ++j) {
      float& target = gradient[i * inputs + column + j];
      target = Accumulate ? target + sums[i][j] : sums[i][j];
    }
  }
}

/// Tiles of Rows outputs, and lower ones for what is left.
template <int Rows, bool Accumulate>
inline void gradientTiles(const float* outputGradient, const float* input, int64_t inputs, int64_t stride,
                          Range rows, float* gradient) {
  for (; rows.begin + Rows <= rows.end; rows.begin += Rows, gradient += Rows * inputs) {
    gradientTile<Rows, Accumulate>(outputGradient + rows.begin * stride, input, inputs, stride, gradient);
  }
  if constexpr (Rows > 1)
    gradientTiles<Rows / 2, Accumulate>(outputGradient, input, inputs, stride, rows, gradient);
}

void gemmGradient(const float* outputGradient, const float* input, int64_t inputs, int64_t stride, Range rows,
                  bool accumulateInto, float* gradient) {
  const auto tiles = accumulateInto ? gradientTiles<kUsualRows, true> : gradientTiles<kUsualRows, false>;
  tiles(outputGradient, input, inputs, stride, rows, gradient);
}
