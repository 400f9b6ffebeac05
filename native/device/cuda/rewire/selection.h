#pragma once

#include <cstdint>
#include <vector>

#include "base/portable.h"

namespace espalier::cuda {

/// What orders things of which the least are to be selected; unique, so that a selection is, too.
struct Key {
  /// 31 bits: the magnitude, as the bits of a float that is not negative.
  uint32_t major;
  /// Breaks ties.
  uint64_t minor;
};

ESPALIER_HOST_DEVICE inline bool precedes(const Key& a, const Key& b) {
  return a.major < b.major || (a.major == b.major && a.minor < b.minor);
}

/// Before every key, and behind every one.
inline constexpr uint32_t kMajorBits = 31;
inline constexpr Key kFirstKey{0, 0};
inline constexpr Key kEndKey{uint32_t{1} << kMajorBits, 0};

/// Some bits of a key; keys are told apart by one digit after the other, from the highest on.
struct Digit {
  int32_t shift = 0;
  int32_t bits = 0;
  bool ofMinor = false;
  bool first = false;
};
inline constexpr int32_t kDigitBits = 11;
inline constexpr int32_t kBins = 1 << kDigitBits;

/// The digits of a key from the highest on. minorBits: 0 to 62.
inline std::vector<Digit> digitsOf(int32_t minorBits) {
  std::vector<Digit> digits{{20, 11, false, true}, {10, 10, false, false}, {0, 10, false, false}};
  while (minorBits > 0) {
    const int32_t bits = minorBits < kDigitBits ? minorBits : kDigitBits;
    minorBits -= bits;
    digits.push_back({minorBits, bits, true, false});
  }
  return digits;
}

/// Bits that the numbers 0 .. size - 1 take.
inline int32_t bitsOf(int64_t size) {
  int32_t bits = 0;
  while (bits < 62 && (int64_t{1} << bits) < size) ++bits;
  return bits;
}

/// How far a selection of the `count` least keys has come. All 0 in the beginning.
struct Selection {
  /// Until it is done the digits found so far, the others 0; then the end: keys that precede it are selected.
  Key key;
  bool done;
  /// Keys looked at, and how many of them to select (more than there are where there are too few).
  int64_t total;
  int64_t count;
  /// Keys that precede `key`, all of them selected, and keys that share its digits.
  int64_t before;
  int64_t within;
};

/// Whether a key has the digits found before this one.
ESPALIER_HOST_DEVICE inline bool sharesDigits(const Key& key, const Selection& selection,
                                              const Digit& digit) {
  const int32_t above = digit.shift + digit.bits;
  if (!digit.ofMinor) return key.major >> above == selection.key.major >> above;
  return key.major == selection.key.major && key.minor >> above == selection.key.minor >> above;
}

ESPALIER_HOST_DEVICE inline int32_t digitOf(const Key& key, const Digit& digit) {
  const uint64_t part = digit.ofMinor ? key.minor : key.major;
  return static_cast<int32_t>((part >> digit.shift) & ((uint64_t{1} << digit.bits) - 1));
}

/// The end of the keys that a selection may still come to once `digit` is found: whatever is selected
/// precedes it.
ESPALIER_HOST_DEVICE inline Key endAfter(const Selection& selection, const Digit& digit) {
  if (selection.done) return selection.key;
  if (!digit.ofMinor) return {selection.key.major + (uint32_t{1} << digit.shift), 0};
  return {selection.key.major, selection.key.minor + (uint64_t{1} << digit.shift)};
}

/// Counts of one digit. All 0 between two launches.
struct Histogram {
  unsigned long long bins[2][kBins];
  unsigned ticket;
};

/// What a rewiring of a layer knows, on the card and read back. All 0 in the beginning.
struct Progress {
  /// Of the entries to drop: of one kind, or of negative weights and of the others.
  Selection dropped[2];
  /// Of the positions to grow at: a bound that they lie within, and they themselves.
  Selection bound;
  Selection winners;
  /// Candidates found within the bound.
  unsigned long long found;
  /// Entries dropped and grown again in the same place.
  unsigned long long returned;

  ESPALIER_HOST_DEVICE int64_t droppedCount() const { return dropped[0].count + dropped[1].count; }
};

}  // namespace espalier::cuda
