// Dense layers: the same register tiles over every input. No packing: a panel of activations is packed
// already.

template <int Rows, int OutputStride, int InputStride, int Vectors>
inline void denseStrips(const float* weights, int64_t outputStride, int64_t inputStride, int64_t inputs,
                        const float* input, float* output, int64_t stride, int64_t sample = 0) {
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

template <int OutputStride, int InputStride>
inline void denseRows(const float* weights, int64_t outputStride, int64_t inputStride, int64_t inputs,
                      const float* input, float* output, int64_t stride, Range rows) {
  int64_t row = rows.begin;
  for (; row + 4 <= rows.end; row += 4) {
    denseStrips<4, OutputStride, InputStride, kStrip<4>>(weights + row * outputStride, outputStride,
                                                         inputStride, inputs, input, output + row * stride,
                                                         stride);
  }
  for (; row < rows.end; ++row) {
    denseStrips<1, OutputStride, InputStride, kStrip<1>>(weights + row * outputStride, outputStride,
                                                         inputStride, inputs, input, output + row * stride,
                                                         stride);
  }
}

void gemm(const float* weight, int64_t inputs, const float* input, float* output, int64_t stride,
          Range rows) {
  denseRows<0, 1>(weight, inputs, 1, inputs, input, output, stride, rows);
}

void gemmTransposed(const float* weight, int64_t outputs, int64_t inputs, const float* input, float* output,
                    int64_t stride, Range columns) {
  denseRows<1, 0>(weight, 1, inputs, outputs, input, output, stride, columns);
}

void gemmGradient(const float* outputGradient, const float* input, int64_t inputs, int64_t stride, Range rows,
                  bool accumulateInto, float* gradient) {
  constexpr int kColumns = Vec::kLanes / 4;
  for (int64_t row = rows.begin; row < rows.end; row += 4) {
    const int64_t height = std::min<int64_t>(4, rows.end - row);
    const float* dy[4];
    for (int i = 0; i < 4; ++i) dy[i] = outputGradient + (row + std::min<int64_t>(i, height - 1)) * stride;
    for (int64_t column = 0; column < inputs; column += kColumns) {
      const int64_t width = std::min<int64_t>(kColumns, inputs - column);
      const float* x[kColumns];
      for (int j = 0; j < kColumns; ++j) x[j] = input + (column + std::min<int64_t>(j, width - 1)) * stride;
      const Vec tile = tileSums<4, kColumns>(dy, x, stride);
      float* const target = gradient + (row - rows.begin) * inputs + column;
      if (height == 4 && width == kColumns && !accumulateInto) {
        storeTile<false>(tile, target, inputs);
        continue;
      }
      float sums[Vec::kLanes];
      tile.store(sums);
      for (int64_t i = 0; i < height; ++i) {
        for (int64_t j = 0; j < width; ++j) {
          float& sum = target[i * inputs + j];
          sum = accumulateInto ? sum + sums[i * kColumns + j] : sums[i * kColumns + j];
        }
      }
    }
  }
}
