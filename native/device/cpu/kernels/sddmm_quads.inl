// Gradients of square blocks where sums across a whole vector cost much: each vector holds four samples of
// several rows of output gradients, so that only sums within quads remain for the end. Bringing the rows into
// that order takes time once for each block row.

/// Rows side by side in one vector, four samples of each.
constexpr int kQuadRows = Vec::kLanes / 4;

inline bool isSquareBlock(const BlockShape& shape) {
  return shape == BlockShape{4, 4} || shape == BlockShape{8, 8} || shape == BlockShape{16, 16};
}

/// turned[quad of samples][group of kQuadRows rows], a vector each.
template <int Groups, typename Element, typename Pitch>
inline void turnRows(const Element* rows, Pitch pitch, float* turned) {
  for (int64_t sample = 0; sample < pitch; sample += 4) {
    for (int group = 0; group < Groups; ++group, turned += Vec::kLanes)
      Elements<Element>::quads(rows + group * kQuadRows * pitch + sample, pitch).store(turned);
  }
}

/// Calls store(group, block, column, sums) on the gradients of four columns at a time, rows one after the
/// other. x: where Columns inputs of each block begin; step: from one quad of samples to the next.
template <int Groups, int Blocks, int Columns, typename Element, typename Pitch, typename Store>
[[gnu::always_inline]] inline void quadTile(const float* turned, int64_t step, const Element* const* x,
                                            Pitch pitch, const Store& store) {
  using Of = Elements<Element>;
  Vec sum[Groups][Blocks * Columns];
  for (auto& group : sum) {
    for (Vec& each : group) each = Vec::zero();
  }
  for (int64_t sample = 0; sample < pitch; sample += 4, turned += step) {
    Vec rows[Groups];
    for (int g = 0; g < Groups; ++g) rows[g] = Vec::loadOnce(turned + g * Vec::kLanes);
    for (int k = 0; k < Blocks * Columns; ++k) {
      const Vec column = Of::repeatQuad(x[k / Columns] + k % Columns * pitch + sample);
      for (int g = 0; g < Groups; ++g) sum[g][k] = Of::multiplyAdd(rows[g], column, sum[g][k]);
    }
  }
  for (int g = 0; g < Groups; ++g) {
#pragma GCC unroll 4
    for (int k = 0; k < Blocks * Columns; k += 4)
      store(g, k / Columns, k % Columns, Vec{Vec::quarter(&sum[g][k])});
  }
}

/// `Blocks` blocks of one row, from `entry` on, in tiles that fill half of the registers with sums
/// at most.
template <int Size, int Blocks, bool Accumulate, typename Element, typename Pitch>
inline void quadBlocks(const MatrixView& m, int64_t entry, const float* turned, const Element* input,
                       Pitch pitch, float* gradient) {
  constexpr int kSums = Vec::kRegisters / 2, kGroups = divideUp(Size, kQuadRows);
  constexpr int kTileGroups = std::min(kGroups, Size > 8 ? 4 : 2);
  constexpr int kTileColumns = std::min(Size, kSums / kTileGroups);
  for (int group = 0; group < kGroups; group += kTileGroups) {
    for (int column = 0; column < Size; column += kTileColumns) {
      const Element* x[Blocks];
      for (int b = 0; b < Blocks; ++b) x[b] = input + (int64_t{m.indices[entry + b]} * Size + column) * pitch;
      quadTile<kTileGroups, Blocks, kTileColumns>(
          turned + group * Vec::kLanes, kGroups * Vec::kLanes, x, pitch, [&](int g, int b, int j, Vec sums) {
            float* const target = gradient + (b * Size + (group + g) * kQuadRows) * Size + column + j;
            storeTile<kQuadRows, Accumulate>(sums, target, Size);
          });
    }
  }
}

template <int Size, bool Accumulate, typename Element, typename Pitch>
inline void quadRow(const MatrixView& m, int64_t row, const Element* outputGradient, const Element* input,
                    Pitch pitch, float* gradient) {
  alignas(64) float turned[Size * kLargestPanel];
  turnRows<divideUp(Size, kQuadRows)>(outputGradient + row * Size * pitch, pitch, turned);
  int64_t entry = m.begins[row];
  const auto take = [&]<int Blocks>() {
    for (; entry + Blocks <= m.ends[row]; entry += Blocks, gradient += Blocks * Size * Size)
      quadBlocks<Size, Blocks, Accumulate>(m, entry, turned, input, pitch, gradient);
  };
  // A small block alone has too few sums to keep the multipliers busy.
  if constexpr (Size == 4) {
    take.template operator()<4>();
    take.template operator()<2>();
  }
  take.template operator()<1>();
}

template <bool Accumulate, typename Element, typename Pitch>
inline void sddmmQuads(const MatrixView& m, int64_t row, const Element* outputGradient, const Element* input,
                       Pitch pitch, float* gradient) {
  const auto rows = m.blockOutputs == 4   ? quadRow<4, Accumulate, Element, Pitch>
                    : m.blockOutputs == 8 ? quadRow<8, Accumulate, Element, Pitch>
                                          : quadRow<16, Accumulate, Element, Pitch>;
  rows(m, row, outputGradient, input, pitch, gradient);
}
