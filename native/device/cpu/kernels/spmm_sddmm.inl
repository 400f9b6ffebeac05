// Input gradient and weight gradient in one walk over the transpose view of single weights: a row of output
// gradients that is fetched serves both products, and fetching is what bounds them. `pitch`: elements of a
// row of samples.

/// Gradients of the entries of a pattern from `first` on.
struct EntryGradients {
  int64_t first;
  float* values;
};

/// Gradient of entry slots[j] (+)= the sum of lanes of dots[j].
template <int Count, bool Accumulate>
[[gnu::always_inline]] inline void settleDots(const Vec* dots, const int32_t* slots,
                                              const EntryGradients& gradients) {
  float sums[Vec::kLanes];
  Vec::sums<std::max(Count, 4)>(dots).store(sums);
  for (int j = 0; j < Count; ++j) {
    float& target = gradients.values[slots[j] - gradients.first];
    target = Accumulate ? target + sums[j] : sums[j];
  }
}

/// Inputs, or sums of products with output gradients, at a strip of `Vectors` vectors of elements.
template <int Vectors, typename Element>
struct StripOfBoth {
  using Of = Elements<Element>;
  static constexpr int kSums = Vectors * Of::kVectors;
  Vec sum[kSums];
  Vec x[Vectors];

  [[gnu::always_inline]] void load(const Element* input, const float* output) {
    for (int s = 0; s < kSums; ++s) sum[s] = Vec::load(output + s * Vec::kLanes);
    loadInput(input);
  }
  [[gnu::always_inline]] void loadInput(const Element* input) {
    for (int s = 0; s < Vectors; ++s) x[s] = Of::loadOnce(input + s * Vec::kLanes);
  }
  [[gnu::always_inline]] void store(float* output) const {
    for (int s = 0; s < kSums; ++s) sum[s].store(output + s * Vec::kLanes);
  }
  /// sum += weight x dy, dot += x x dy.
  [[gnu::always_inline]] void add(float weight, const Element* dy, Vec& dot) {
    const Vec factor = Vec::all(weight);
#pragma GCC unroll 8
    for (int s = 0; s < Vectors; ++s) {
      const Vec fetched = Of::loadOnce(dy + s * Vec::kLanes);
      Vec samples[Of::kVectors];
      Of::spread(fetched, samples);
      for (int k = 0; k < Of::kVectors; ++k) {
        Vec& target = sum[s * Of::kVectors + k];
        target = Vec::fma(factor, samples[k], target);
      }
      dot = Of::multiplyAdd(fetched, x[s], dot);
    }
  }
};

/// `Count` entries of one row of the view at the samples from `at` on, in strips of `Vectors` vectors of
/// elements, and of fewer where no more are left.
template <int Count, int Vectors, typename Element, typename Pitch>
[[gnu::always_inline]] inline void stripsOfBoth(const MatrixView& m, const int32_t* slots,
                                                const Element* const* dy, const Element* input, float* output,
                                                Pitch pitch, int64_t at, Vec* dots) {
  constexpr int64_t kStep = Vectors * Vec::kLanes;
  for (; at + kStep <= pitch; at += kStep) {
    StripOfBoth<Vectors, Element> strip;
    float* const out = output + at * Elements<Element>::kVectors;
    strip.load(input + at, out);
    // Rolled up, GCC would keep the dots in memory.
#pragma GCC unroll 8
    for (int j = 0; j < Count; ++j) strip.add(m.values[slots[j]], dy[j] + at, dots[j]);
    strip.store(out);
  }
  if constexpr (Vectors > 1)
    stripsOfBoth<Count, Vectors / 2, Element>(m, slots, dy, input, output, pitch, at, dots);
}

template <int Count, bool Accumulate, typename Element, typename Pitch>
[[gnu::always_inline]] inline void entriesOfBoth(const MatrixView& m, int64_t first,
                                                 const Element* outputGradient, const Element* input,
                                                 float* output, Pitch pitch,
                                                 const EntryGradients& gradients) {
  constexpr int kWidest = 4 / Elements<Element>::kVectors;
  const int32_t* const slots = m.valueIndex + first;
  const Element* dy[Count];
  for (int j = 0; j < Count; ++j) dy[j] = outputGradient + m.indices[first + j] * pitch;
  Vec dots[std::max(Count, 4)];
  for (Vec& each : dots) each = Vec::zero();
  stripsOfBoth<Count, kWidest, Element>(m, slots, dy, input, output, pitch, 0, dots);
  settleDots<Count, Accumulate>(dots, slots, gradients);
}

/// Entries whose dot products fill a quarter of the registers.
constexpr int kMostEntries = std::min(Vec::kLanes, Vec::kRegisters / 4);

/// Calls take<Count>(first entry) on all entries of a row.
template <typename Take>
[[gnu::always_inline]] inline void overEntries(const MatrixView& m, int64_t row, const Take& take) {
  const int64_t end = m.ends[row];
  int64_t entry = m.begins[row];
  if constexpr (kMostEntries >= 8) {
    for (; entry + 8 <= end; entry += 8) take.template operator()<8>(entry);
  }
  for (; entry + 4 <= end; entry += 4) take.template operator()<4>(entry);
  for (; entry < end; ++entry) take.template operator()<1>(entry);
}

template <bool Accumulate, typename Element, typename Pitch>
inline void rowsOfBoth(const MatrixView& m, const Element* outputGradient, const Element* input,
                       float* output, Pitch pitch, Range rows, bool accumulateOutput,
                       const EntryGradients& gradients) {
  const int64_t stride = pitch * Elements<Element>::kVectors;
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    float* const out = output + row * stride;
    if (!accumulateOutput) std::fill_n(out, stride, 0.0f);
    overEntries(m, row, [&]<int Count>(int64_t first) {
      entriesOfBoth<Count, Accumulate>(m, first, outputGradient, input + row * pitch, out, pitch, gradients);
    });
  }
}

/// Rows that are one strip, which stays in registers: each row of output gradients is then read at a stretch,
/// so that its address needs no register for longer.
template <int Vectors, bool Accumulate, typename Element>
inline void stripRowsOfBoth(const MatrixView& m, const Element* outputGradient, const Element* input,
                            float* output, Range rows, bool accumulateOutput,
                            const EntryGradients& gradients) {
  constexpr int64_t kPitch = Vectors * Vec::kLanes, kStride = kPitch * Elements<Element>::kVectors;
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    float* const out = output + row * kStride;
    StripOfBoth<Vectors, Element> strip;
    strip.loadInput(input + row * kPitch);
    for (int s = 0; s < strip.kSums; ++s)
      strip.sum[s] = accumulateOutput ? Vec::load(out + s * Vec::kLanes) : Vec::zero();
    overEntries(m, row, [&]<int Count>(int64_t first) {
      Vec dots[std::max(Count, 4)];
      for (Vec& each : dots) each = Vec::zero();
#pragma GCC unroll 8
      for (int j = 0; j < Count; ++j) {
        const int32_t slot = m.valueIndex[first + j];
        strip.add(m.values[slot], scalarAddress(outputGradient + m.indices[first + j] * kPitch), dots[j]);
      }
      settleDots<Count, Accumulate>(dots, m.valueIndex + first, gradients);
    });
    strip.store(out);
  }
}

/// Vectors of a row of elements, if known when compiling and its strip fills half of the registers at most.
template <typename Element, typename Pitch>
constexpr int stripOfRow() {
  if constexpr (std::is_class_v<Pitch>) {
    constexpr int kVectors = Pitch::value / Vec::kLanes;
    return kVectors * (1 + Elements<Element>::kVectors) <= Vec::kRegisters / 2 ? kVectors : 0;
  }
  return 0;
}

template <bool Accumulate, typename Element, typename Pitch>
inline void bothOf(const MatrixView& m, const Element* outputGradient, const Element* input, float* output,
                   Pitch pitch, Range rows, bool accumulateOutput, const EntryGradients& gradients) {
  constexpr int kStrip = stripOfRow<Element, Pitch>();
  if constexpr (kStrip > 0) {
    stripRowsOfBoth<kStrip, Accumulate>(m, outputGradient, input, output, rows, accumulateOutput, gradients);
  } else {
    rowsOfBoth<Accumulate>(m, outputGradient, input, output, pitch, rows, accumulateOutput, gradients);
  }
}

template <typename Element>
void spmmSddmm(const MatrixView& transpose, const Element* outputGradient, const Element* input,
               float* output, int64_t stride, Range rows, bool accumulateOutput, bool accumulateGradient,
               int64_t firstEntry, float* gradient) {
  withPitch<Element>(stride, [&](auto pitch) {
    const auto both =
        accumulateGradient ? bothOf<true, Element, decltype(pitch)> : bothOf<false, Element, decltype(pitch)>;
    both(transpose, outputGradient, input, output, pitch, rows, accumulateOutput, {firstEntry, gradient});
  });
}
