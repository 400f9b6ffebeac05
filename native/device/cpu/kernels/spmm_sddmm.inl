// Input gradient and weight gradient in one walk over the transpose view of single weights: a row of output
// gradients that is fetched serves both products, and fetching is what bounds them.

/// `Count` entries of one row of the view, `Vectors` vectors of samples at a time.
template <int Count, int Vectors, bool Accumulate, typename Stride>
[[gnu::always_inline]] inline void entriesOfBoth(const MatrixView& m, int64_t first,
                                                 const float* outputGradient, const float* input,
                                                 float* output, Stride stride, float* gradient) {
  constexpr int kStep = Vectors * Vec::kLanes;
  const int32_t* const slots = m.valueIndex + first;
  const float* dy[Count];
  for (int j = 0; j < Count; ++j) dy[j] = outputGradient + m.indices[first + j] * stride;
  Vec dots[std::max(Count, 4)];
  for (Vec& each : dots) each = Vec::zero();
  for (int64_t at = 0; at < stride; at += kStep) {
    Vec sum[Vectors], x[Vectors];
    for (int s = 0; s < Vectors; ++s) {
      sum[s] = Vec::load(output + at + s * Vec::kLanes);
      x[s] = Vec::load(input + at + s * Vec::kLanes);
    }
    // Rolled up, GCC would keep the dots in memory.
#pragma GCC unroll 8
    for (int j = 0; j < Count; ++j) {
      const Vec weight = Vec::all(m.values[slots[j]]);
      for (int s = 0; s < Vectors; ++s) {
        const Vec fetched = Vec::loadOnce(dy[j] + at + s * Vec::kLanes);
        sum[s] = Vec::fma(weight, fetched, sum[s]);
        dots[j] = Vec::fma(fetched, x[s], dots[j]);
      }
    }
    for (int s = 0; s < Vectors; ++s) sum[s].store(output + at + s * Vec::kLanes);
  }
  float sums[Vec::kLanes];
  Vec::sums<std::max(Count, 4)>(dots).store(sums);
  for (int j = 0; j < Count; ++j) {
    float& target = gradient[slots[j]];
    target = Accumulate ? target + sums[j] : sums[j];
  }
}

/// Entries whose dot products fill a quarter of the registers.
constexpr int kMostEntries = std::min(Vec::kLanes, Vec::kRegisters / 4);

template <int Vectors, bool Accumulate, typename Stride>
inline void rowsOfBoth(const MatrixView& m, const float* outputGradient, const float* input, float* output,
                       Stride stride, Range rows, bool accumulateOutput, float* gradient) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    float* const out = output + row * stride;
    const float* const x = input + row * stride;
    if (!accumulateOutput) std::fill_n(out, stride, 0.0f);
    const int64_t end = m.ends[row];
    int64_t entry = m.begins[row];
    if constexpr (kMostEntries >= 8) {
      for (; entry + 8 <= end; entry += 8)
        entriesOfBoth<8, Vectors, Accumulate>(m, entry, outputGradient, x, out, stride, gradient);
    }
    for (; entry + 4 <= end; entry += 4)
      entriesOfBoth<4, Vectors, Accumulate>(m, entry, outputGradient, x, out, stride, gradient);
    for (; entry < end; ++entry)
      entriesOfBoth<1, Vectors, Accumulate>(m, entry, outputGradient, x, out, stride, gradient);
  }
}

void spmmSddmm(const MatrixView& transpose, const float* outputGradient, const float* input, float* output,
               int64_t stride, Range rows, bool accumulateOutput, bool accumulateGradient, float* gradient) {
  constexpr int kWidest = 4;
  withStride(stride, [&](auto known) {
    using Stride = decltype(known);
    const bool wide = stride % (kWidest * Vec::kLanes) == 0;
    const auto both = accumulateGradient
                          ? (wide ? rowsOfBoth<kWidest, true, Stride> : rowsOfBoth<1, true, Stride>)
                          : (wide ? rowsOfBoth<kWidest, false, Stride> : rowsOfBoth<1, false, Stride>);
    both(transpose, outputGradient, input, output, known, rows, accumulateOutput, gradient);
  });
}
