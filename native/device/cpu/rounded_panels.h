#pragma once

#include <cstdint>

#include "base/aligned_buffer.h"
#include "base/error.h"
#include "device/cpu/kernels/kernels.h"
#include "device/cpu/work_shares.h"

namespace espalier::cpu {

/// What products gather from: the panels themselves, or copies in bfloat16 as the processor multiplies them.
enum class Rounding { None, Pairs, Tiles };

inline Rounding roundingFor(bool narrow, const Kernels& kernels, const BlockShape& block) {
  if (!narrow) return Rounding::None;
  return kernels.narrowToTiles != nullptr && fitsTiles(block) ? Rounding::Tiles : Rounding::Pairs;
}

/// Calls work<Element>() with the type of what products gather.
template <typename Work>
void withElement(Rounding rounding, const Work& work) {
  switch (rounding) {
    case Rounding::None:
      return work.template operator()<float>();
    case Rounding::Pairs:
      return work.template operator()<Bfloat16Pair>();
    case Rounding::Tiles:
      return work.template operator()<Bfloat16Tile>();
  }
}

/// Copies of `count` panels of `rows` features x at most `stride` samples in bfloat16; none at all where
/// nothing is rounded.
class RoundedPanels {
 public:
  RoundedPanels() = default;
  RoundedPanels(Rounding rounding, int64_t rows, int64_t stride, int64_t count)
      : rounding_(rounding),
        rows_(rows),
        size_(words(rounding, rows, stride)),
        words_(checkedProduct(size_, count)) {}

  /// A member's rows, by features: those that may be rounded by themselves.
  Range share(const Team& team) const {
    return team.share(rows_, rounding_ == Rounding::Tiles ? kTileFeatures : 1);
  }

  /// Rounds some rows of a panel of `stride` samples, which begin where a share may, into the copy of that
  /// number. forms: where matrix units are to take it.
  void round(const Kernels& kernels, const float* from, int64_t stride, Range rows, const TileForms& forms,
             int64_t number) {
    if (rounding_ == Rounding::Pairs) kernels.narrow(from, stride, rows, to<Bfloat16Pair>(number));
    if (rounding_ == Rounding::Tiles)
      kernels.narrowToTiles(from, stride, rows, forms, to<Bfloat16Tile>(number));
  }

  /// What is to be gathered from a panel of which that is the copy.
  template <typename Element>
  const Element* of(const float* panel, int64_t number) const {
    if constexpr (std::is_same_v<Element, float>) {
      return panel;
    } else {
      return reinterpret_cast<const Element*>(words_.data() + number * size_);
    }
  }
  int64_t bytes() const { return words_.bytes(); }

 private:
  template <typename Element>
  Element* to(int64_t number) {
    return reinterpret_cast<Element*>(words_.data() + number * size_);
  }
  static int64_t words(Rounding rounding, int64_t rows, int64_t stride) {
    if (rounding == Rounding::None) return 0;
    if (rounding == Rounding::Pairs) return checkedProduct(rows, stride) / 2;
    return checkedProduct(roundUp(rows, kTileFeatures), stride);  // two forms
  }

  Rounding rounding_ = Rounding::None;
  int64_t rows_ = 0;
  int64_t size_ = 0;
  AlignedBuffer<uint32_t> words_;
};

}  // namespace espalier::cpu
