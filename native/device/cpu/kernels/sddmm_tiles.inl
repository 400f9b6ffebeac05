// Tiles of dot products over the samples, which gradients of weights are made of. `pitch`: elements of a row
// of samples.

/// Dot products of Rows output gradients with Columns inputs; lane = row x Columns + column.
template <int Rows, int Columns, typename Element, typename Pitch>
inline Vec tileSums(const Element* const* dy, const Element* const* x, Pitch pitch) {
  using Of = Elements<Element>;
  Vec sum[Rows * Columns];
  for (Vec& each : sum) each = Vec::zero();
  for (int64_t at = 0; at < pitch; at += Vec::kLanes) {
    Vec rows[Rows];
    for (int i = 0; i < Rows; ++i) rows[i] = Of::loadOnce(dy[i] + at);
    for (int j = 0; j < Columns; ++j) {
      const Vec column = Of::loadOnce(x[j] + at);
      for (int i = 0; i < Rows; ++i)
        sum[i * Columns + j] = Of::multiplyAdd(rows[i], column, sum[i * Columns + j]);
    }
  }
  return Vec::sums<Rows * Columns>(sum);
}

/// The rows of a tile, `pitch` apart.
template <int Rows, bool Accumulate>
inline void storeTile(Vec sums, float* gradient, int64_t pitch) {
  constexpr int kColumns = Vec::kLanes / Rows;
  float rows[Rows][kColumns];
  sums.store(rows[0]);
  for (int i = 0; i < Rows; ++i) {
    for (int j = 0; j < kColumns; ++j) {
      float& target = gradient[i * pitch + j];
      target = Accumulate ? target + rows[i][j] : rows[i][j];
    }
  }
}

/// sum[j] += one output gradient x Count inputs over some vectors of samples: the gradient stays in
/// registers, and each input is read at a stretch, so that its address needs no register for longer.
template <int Count, int Vectors, typename Element>
[[gnu::always_inline]] inline void addDots(const Element* dy, const Element* const* x, Vec (&sum)[Count]) {
  using Of = Elements<Element>;
  Vec row[Vectors];
  for (int s = 0; s < Vectors; ++s) row[s] = Of::loadOnce(dy + s * Vec::kLanes);
#pragma GCC unroll 16
  for (int j = 0; j < Count; ++j) {
    const Element* const from = scalarAddress(x[j]);
#pragma GCC unroll 8
    for (int s = 0; s < Vectors; ++s)
      sum[j] = Of::multiplyAdd(row[s], Of::loadWhole(from + s * Vec::kLanes), sum[j]);
  }
}

/// The same over the samples from `place` on, as many vectors at a time as fit.
template <int Count, int Vectors, typename Element, typename Pitch>
[[gnu::always_inline]] inline void addAllDots(const Element* dy, const Element* const* x, Pitch pitch,
                                              int64_t place, Vec (&sum)[Count]) {
  for (; place + Vectors * Vec::kLanes <= pitch; place += Vectors * Vec::kLanes) {
    const Element* from[Count];
    for (int j = 0; j < Count; ++j) from[j] = x[j] + place;
    addDots<Count, Vectors>(dy + place, from, sum);
  }
  if constexpr (Vectors > 1) {
    if (place < pitch) addAllDots<Count, Vectors / 2>(dy, x, pitch, place, sum);
  }
}

/// Dot products of one output gradient with Count inputs.
template <int Count, typename Element, typename Pitch>
[[gnu::always_inline]] inline Vec rowTileSums(const Element* dy, const Element* const* x, Pitch pitch) {
  Vec sum[Count];
  for (Vec& each : sum) each = Vec::zero();
  addAllDots<Count, Vec::kRegisters / 4>(dy, x, pitch, 0, sum);
  return Vec::sums<Count>(sum);
}

/// gradient[0 .. count] (+)= the first lanes of sums.
template <bool Accumulate>
inline void settleSums(Vec sums, int64_t count, float* gradient) {
  if (count == Vec::kLanes) {
    (Accumulate ? Vec::load(gradient) + sums : sums).store(gradient);
  } else {
    (Accumulate ? Vec::loadPart(gradient, count) + sums : sums).storePart(gradient, count);
  }
}
