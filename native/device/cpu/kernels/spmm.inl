// Sparse times dense: every output row is held in registers while it walks its entries.

/// sum[row][vector] += weights of `Rows` outputs and `inputs` inputs times input rows. A stride that is known
/// when compiling is a template argument; 0 takes the run-time value.
template <int Rows, int Inputs, int OutputStride, int InputStride, int Vectors, typename Element,
          typename Stride>
inline void addProducts(Vec (&sum)[Rows][Vectors], const float* weights, int64_t outputStride,
                        int64_t inputStride, const Element* input, int64_t inputs, Stride stride) {
  constexpr int kVectors = Elements<Element>::kVectors;
  const int64_t count = Inputs != 0 ? Inputs : inputs;
  const int64_t rowStep = OutputStride != 0 ? OutputStride : outputStride;
  const int64_t step = InputStride != 0 ? InputStride : inputStride;
  for (int64_t k = 0; k < count; ++k) {
    Vec x[Vectors];
    for (int s = 0; s < Vectors; s += kVectors) {
      const Element* const from = input + (k * stride + s * Vec::kLanes) / kVectors;
      Elements<Element>::load(from, x + s);
    }
    for (int r = 0; r < Rows; ++r) {
      const Vec weight = Vec::all(weights[r * rowStep + k * step]);
      for (int s = 0; s < Vectors; ++s) sum[r][s] = Vec::fma(weight, x[s], sum[r][s]);
    }
  }
}

template <int Rows, int Vectors, typename Stride>
inline void storeRows(const Vec (&sum)[Rows][Vectors], float* output, Stride stride) {
  for (int r = 0; r < Rows; ++r) {
    for (int s = 0; s < Vectors; ++s) sum[r][s].store(output + r * stride + s * Vec::kLanes);
  }
}

/// Vectors of one strip of samples, so that the tile of accumulators stays in the register file.
template <int Rows>
inline constexpr int kStrip = Rows == 1   ? 8
                              : Rows <= 4 ? Vec::kRegisters / 8
                                          : Vec::kRegisters / 16;

/// The same, of whole elements; of a single row of a length that is known when compiling, all samples or half
/// of them where they are no more, so that its entries are walked as seldom as can be.
template <int Rows, typename Element, typename Stride>
constexpr int stripOf() {
  constexpr int kVectors = Elements<Element>::kVectors;
  if constexpr (Rows == 1 && std::is_class_v<Stride>) {
    for (const int parts : {1, 2}) {
      const int64_t unit = int64_t{parts} * Vec::kLanes, vectors = Stride::value / unit;
      if (Stride::value % (unit * kVectors) == 0 && vectors <= kStrip<1>) return static_cast<int>(vectors);
    }
  }
  return std::max(kStrip<Rows>, kVectors);
}

/// Entries that are walked next, and the samples that they are multiplied with.
template <typename Element>
struct Upcoming {
  Range entries;
  const Element* input;
};

/// Asks for what one entry reads of a strip of `Vectors` vectors of samples, and for weights that are looked
/// up.
template <int Inputs, int Vectors, bool Indexed, typename Element, typename Stride>
inline void fetchEntry(const MatrixView& m, int64_t entry, const Element* input, Stride stride) {
  constexpr int64_t kElements = Vectors * Vec::kLanes / Elements<Element>::kVectors;
  for (int64_t k = 0; k < Inputs; ++k) {
    const Element* const from =
        input + (int64_t{m.indices[entry]} * Inputs + k) * stride / Elements<Element>::kVectors;
    fetchSamples(from, kElements);
  }
  if (Indexed) __builtin_prefetch(m.values + int64_t{m.valueIndex[entry]} * m.blockOutputs * Inputs);
}

/// `Rows` consecutive outputs of one block row, beginning at output `first` of the block.
template <int Rows, int Inputs, int OutputStride, int InputStride, bool Indexed, bool Fetch, int Vectors,
          typename Element, typename Stride>
[[gnu::always_inline]] inline void blockRowStrip(const MatrixView& m, int64_t blockRow, int32_t first,
                                                 const Element* input, float* output, Stride stride,
                                                 bool accumulate, const Upcoming<Element>& next) {
  Vec sum[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int s = 0; s < Vectors; ++s) {
      sum[r][s] = accumulate ? Vec::load(output + r * stride + s * Vec::kLanes) : Vec::zero();
    }
  }
  const int64_t blockSize = int64_t{m.blockOutputs} * m.blockInputs;
  const int64_t rowStep = OutputStride != 0 ? OutputStride : m.outputStride;
  const auto add = [&](int64_t entry) {
    const int64_t slot = Indexed ? m.valueIndex[entry] : entry;
    const int64_t row = int64_t{m.indices[entry]} * (Inputs != 0 ? Inputs : m.blockInputs);
    addProducts<Rows, Inputs, OutputStride, InputStride, Vectors>(
        sum, m.values + slot * blockSize + first * rowStep, m.outputStride, m.inputStride,
        input + row * stride / Elements<Element>::kVectors, m.blockInputs, stride);
  };
  int64_t entry = m.begins[blockRow];
  const int64_t end = m.ends[blockRow];
  if constexpr (Fetch) {
    constexpr int64_t kAhead = kInputsAhead / Inputs;
    for (; entry + kAhead < end; ++entry) {
      fetchEntry<Inputs, Vectors, Indexed>(m, entry + kAhead, input, stride);
      add(entry);
    }
    for (int64_t ahead = next.entries.begin; entry < end; ++entry, ++ahead) {
      if (ahead < next.entries.end) fetchEntry<Inputs, Vectors, Indexed>(m, ahead, next.input, stride);
      add(entry);
    }
  } else {
    for (; entry < end; ++entry) add(entry);
  }
  storeRows(sum, output, stride);
}

/// The samples from `sample` on, in the widest strips that fit.
template <int Rows, int Inputs, int OutputStride, int InputStride, bool Indexed, bool Fetch, int Vectors,
          typename Element, typename Stride>
inline void blockRow(const MatrixView& m, int64_t row, int32_t first, const Element* input, float* output,
                     Stride stride, bool accumulate, Range following, int64_t sample = 0) {
  constexpr int64_t kStep = Vectors * Vec::kLanes;
  const auto at = [&](int64_t place) { return input + place / Elements<Element>::kVectors; };
  for (; sample + kStep <= stride; sample += kStep) {
    const bool last = sample + kStep == stride;
    const Upcoming<Element> next = last ? Upcoming<Element>{following, input}
                                        : Upcoming<Element>{{m.begins[row], m.ends[row]}, at(sample + kStep)};
    blockRowStrip<Rows, Inputs, OutputStride, InputStride, Indexed, Fetch, Vectors>(
        m, row, first, at(sample), output + sample, stride, accumulate, next);
  }
  constexpr int kElement = Elements<Element>::kVectors;
  if constexpr (Vectors > kElement) {
    if (sample < stride) {
      blockRow<Rows, Inputs, OutputStride, InputStride, Indexed, Fetch, Vectors / 2 / kElement * kElement>(
          m, row, first, input, output, stride, accumulate, following, sample);
    }
  }
}

/// The entries of row + kEntriesAhead, their weights, and the outputs that they add to; weights that are
/// looked up by what was fetched before.
template <bool Indexed>
[[gnu::noinline]] void fetchAhead(const MatrixView& m, int64_t row, int64_t end, const float* output,
                                  int64_t stride) {
  keepCalls();
  const int64_t size = int64_t{m.blockOutputs} * m.blockInputs;
  if (row + kEntriesAhead < end) {
    const Range entries{m.begins[row + kEntriesAhead], m.ends[row + kEntriesAhead]};
    fetchLines(m.indices + entries.begin, entries.size());
    if (Indexed) {
      fetchLines(m.valueIndex + entries.begin, entries.size());
    } else {
      fetchLines(m.values + entries.begin * size, entries.size() * size);
    }
    const int64_t outputs = m.blockOutputs * stride;
    fetchLines(output + (row + kEntriesAhead) * outputs, outputs);
  }
  if (Indexed && row + kLookupsAhead < end) {
    for (int64_t entry = m.begins[row + kLookupsAhead]; entry < m.ends[row + kLookupsAhead]; ++entry)
      fetchLines(m.values + m.valueIndex[entry] * size, size);
  }
}

template <int Rows, int Inputs, int OutputStride, int InputStride, bool Indexed, bool Fetch, typename Element,
          typename Stride>
inline void spmmRows(const MatrixView& m, const Element* input, float* output, Stride stride, Range blockRows,
                     bool accumulate) {
  for (int64_t row = blockRows.begin; row < blockRows.end; ++row) {
    if (m.fetchAhead) fetchAhead<Indexed>(m, row, blockRows.end, output, stride);
    float* const out = output + row * m.blockOutputs * stride;
    const int64_t next = std::min(row + 1, blockRows.end - 1);
    const Range following{m.begins[next], m.ends[next]};
    int32_t first = 0;
    for (; first + Rows <= m.blockOutputs; first += Rows) {
      blockRow<Rows, Inputs, OutputStride, InputStride, Indexed, Fetch, stripOf<Rows, Element, Stride>()>(
          m, row, first, input, out + first * stride, stride, accumulate, following);
    }
    if constexpr (Rows > 1) {
      for (; first < m.blockOutputs; ++first) {
        blockRow<1, Inputs, OutputStride, InputStride, Indexed, Fetch, stripOf<1, Element, Stride>()>(
            m, row, first, input, out + first * stride, stride, accumulate, following);
      }
    }
  }
}

template <int Rows, int Inputs, int OutputStride, int InputStride, bool Indexed, typename Element,
          typename Stride>
inline void spmmBlocks(const MatrixView& m, const Element* input, float* output, Stride stride,
                       Range blockRows, bool accumulate) {
  if constexpr (Vec::kFetchesInputs && Inputs != 0 && Inputs <= 4) {
    if (m.fetchInputs) {
      return spmmRows<Rows, Inputs, OutputStride, InputStride, Indexed, true>(m, input, output, stride,
                                                                              blockRows, accumulate);
    }
  }
  spmmRows<Rows, Inputs, OutputStride, InputStride, Indexed, false>(m, input, output, stride, blockRows,
                                                                    accumulate);
}

/// Rows of the tallest tile: with as many vectors of each as kStrip allows, sums fill half of the registers.
constexpr int kTallTile = Vec::kRegisters / 4;

template <bool Indexed, typename Element, typename Stride>
inline void spmmShape(const MatrixView& m, const Element* input, float* output, Stride stride,
                      Range blockRows, bool accumulate) {
  const BlockShape shape{m.blockOutputs, m.blockInputs};
  constexpr int kForward = Indexed ? 0 : 1;  // which of the two strides is 1 follows from the view
  if (shape == BlockShape{4, 1} && m.outputStride == 1) {
    return spmmBlocks<4, 1, 1, 1, Indexed>(m, input, output, stride, blockRows, accumulate);
  }
  if (shape == BlockShape{1, 4} && m.inputStride == 1) {
    return spmmBlocks<1, 4, 1, 1, Indexed>(m, input, output, stride, blockRows, accumulate);
  }
  if (shape == BlockShape{4, 4}) {
    return spmmBlocks < 4, 4, kForward ? 4 : 1, kForward ? 1 : 4,
           Indexed > (m, input, output, stride, blockRows, accumulate);
  }
  if (shape == BlockShape{8, 8}) {
    return spmmBlocks < kTallTile, 8, kForward ? 8 : 1, kForward ? 1 : 8,
           Indexed > (m, input, output, stride, blockRows, accumulate);
  }
  if constexpr (Vec::kKnowsStrides) {
    if (shape == BlockShape{16, 16}) {
      return spmmBlocks < kTallTile, 16, kForward ? 16 : 1, kForward ? 1 : 16,
             Indexed > (m, input, output, stride, blockRows, accumulate);
    }
  }
  if (shape.rows >= kTallTile)
    return spmmBlocks<kTallTile, 0, 0, 0, Indexed>(m, input, output, stride, blockRows, accumulate);
  if (shape.rows >= 4)
    return spmmBlocks<4, 0, 0, 0, Indexed>(m, input, output, stride, blockRows, accumulate);
  return spmmBlocks<1, 0, 0, 0, Indexed>(m, input, output, stride, blockRows, accumulate);
}

template <bool Indexed, typename Element>
inline void spmmView(const MatrixView& m, const Element* input, float* output, int64_t stride,
                     Range blockRows, bool accumulate) {
  if (m.blockOutputs == 1 && m.blockInputs == 1) {
    return withStride(stride, AllStrides(), [&](auto known) {
      spmmBlocks<1, 1, 1, 1, Indexed>(m, input, output, known, blockRows, accumulate);
    });
  }
  withStride(stride, UsualStrides(),
             [&](auto known) { spmmShape<Indexed>(m, input, output, known, blockRows, accumulate); });
}

template <typename Element>
void spmm(const MatrixView& m, const Element* input, float* output, int64_t stride, Range blockRows,
          bool accumulate) {
  if (m.valueIndex == nullptr) {
    spmmView<false>(m, input, output, stride, blockRows, accumulate);
  } else {
    spmmView<true>(m, input, output, stride, blockRows, accumulate);
  }
}

/// Blocks of Rows x 1: the block row's inputs stay in registers, each column is loaded and stored once for
/// Rows products.
template <int Rows, int Vectors, typename Stride>
inline void scatterStrip(const MatrixView& m, Range entries, const float* input, float* output, Stride stride,
                         int64_t firstColumn) {
  Vec x[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int s = 0; s < Vectors; ++s) x[r][s] = Vec::load(input + r * stride + s * Vec::kLanes);
  }
  for (int64_t entry = entries.begin; entry < entries.end; ++entry) {
    float* const target = output + (m.indices[entry] - firstColumn) * stride;
    if constexpr (Vec::kFetchesInputs) {
      if (entry + kInputsAhead < entries.end)
        __builtin_prefetch(output + (m.indices[entry + kInputsAhead] - firstColumn) * stride, 1);
    }
    Vec sum[Vectors];
    for (int s = 0; s < Vectors; ++s) sum[s] = Vec::load(target + s * Vec::kLanes);
    for (int r = 0; r < Rows; ++r) {
      const Vec weight = Vec::all(m.values[entry * Rows + r]);
      for (int s = 0; s < Vectors; ++s) sum[s] = Vec::fma(weight, x[r][s], sum[s]);
    }
    for (int s = 0; s < Vectors; ++s) sum[s].store(target + s * Vec::kLanes);
  }
}

template <int Rows, int Vectors, typename Stride>
inline void scatterRow(const MatrixView& m, Range entries, const float* input, float* output, Stride stride,
                       int64_t firstColumn, int64_t sample = 0) {
  for (; sample + Vectors * Vec::kLanes <= stride; sample += Vectors * Vec::kLanes) {
    scatterStrip<Rows, Vectors>(m, entries, input + sample, output + sample, stride, firstColumn);
  }
  if constexpr (Vectors > 1) {
    if (sample < stride)
      scatterRow<Rows, Vectors / 2>(m, entries, input, output, stride, firstColumn, sample);
  }
}

/// The first entry of a range whose column is not before `column`.
inline int64_t firstEntryFrom(const int32_t* columns, Range entries, int64_t column) {
  while (entries.begin < entries.end) {
    const int64_t middle = (entries.begin + entries.end) / 2;
    if (columns[middle] < column) {
      entries.begin = middle + 1;
    } else {
      entries.end = middle;
    }
  }
  return entries.begin;
}

void spmmScatter(const MatrixView& m, const float* input, float* output, int64_t stride, int64_t blockRows,
                 Range columns) {
  for (int64_t row = 0; row < blockRows; ++row) {
    const Range all{m.begins[row], m.ends[row]};
    const Range own{firstEntryFrom(m.indices, all, columns.begin),
                    firstEntryFrom(m.indices, all, columns.end)};
    if (own.size() == 0) continue;
    withStride(stride, UsualStrides(), [&](auto known) {
      scatterRow<4, kStrip<4>>(m, own, input + row * m.blockOutputs * known, output, known, columns.begin);
    });
  }
}
