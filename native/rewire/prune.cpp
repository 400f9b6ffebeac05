#include "rewire/prune.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/share.h"

namespace espalier {
namespace {

/// Orders entries by when they are dropped: first by size, its sign left out (the bits of a float that is not
/// negative ascend with it), then the larger index first. Distinct for distinct entries, so that any
/// selection by it is unique.
uint64_t dropKey(float size, int64_t entry) {
  const uint32_t bits = std::bit_cast<uint32_t>(size) & 0x7FFFFFFFu;
  return uint64_t{bits} << 32 | (0xFFFFFFFFu - static_cast<uint32_t>(entry));
}

int32_t entryOf(uint64_t key) {
  return static_cast<int32_t>(0xFFFFFFFFu - static_cast<uint32_t>(key));
}

/// Puts the `count` smallest keys first, in no order.
void selectSmallest(Array<uint64_t>& keys, int64_t count) {
  if (count < static_cast<int64_t>(keys.size()))
    std::nth_element(keys.begin(), keys.begin() + count, keys.end());
  keys.resize(static_cast<size_t>(count));
}

/// Marks the entries of the `count` smallest keys and lists them ascending: a sweep instead of a sort.
Array<int32_t> ascendingEntries(Array<uint64_t> keys, int64_t entries) {
  Array<uint8_t> chosen(static_cast<size_t>(entries), 0);
  for (const uint64_t key : keys) chosen[entryOf(key)] = 1;
  Array<int32_t> result;
  result.reserve(keys.size());
  for (int64_t entry = 0; entry < entries; ++entry) {
    if (chosen[entry]) result.push_back(static_cast<int32_t>(entry));
  }
  return result;
}

float sizeOfEntry(std::span<const float> values, int64_t entry, int32_t blockSize) {
  if (blockSize == 1) return values[entry];
  double sum = 0;
  for (const float weight : values.subspan(entry * blockSize, blockSize))
    sum += double{weight} * double{weight};
  return static_cast<float>(sum);
}

void checkValues(const Pattern& pattern, std::span<const float> values) {
  require(static_cast<int64_t>(values.size()) >= pattern.values(), ErrorCode::Internal,
          "too few values to prune");
}

}  // namespace

Array<int32_t> smallestEntries(const Pattern& pattern, std::span<const float> values, int64_t count) {
  if (pattern.block().size() == 1) {
    checkValues(pattern, values);
    return smallestOf(values.first(static_cast<size_t>(pattern.entries())), count);
  }
  return smallestOf(entrySizes(pattern, values), count);
}

Array<float> entrySizes(const Pattern& pattern, std::span<const float> values) {
  checkValues(pattern, values);
  Array<float> sizes(static_cast<size_t>(pattern.entries()));
  const int32_t blockSize = pattern.block().size();
  for (int64_t entry = 0; entry < pattern.entries(); ++entry) {
    sizes[entry] = std::abs(sizeOfEntry(values, entry, blockSize));
  }
  return sizes;
}

Array<int32_t> smallestOf(std::span<const float> sizes, int64_t count) {
  const auto entries = static_cast<int64_t>(sizes.size());
  require(count >= 0 && count <= entries, ErrorCode::Internal, "more entries to drop than there are");
  Array<uint64_t> keys(sizes.size());
  for (int64_t entry = 0; entry < entries; ++entry) keys[entry] = dropKey(sizes[entry], entry);
  selectSmallest(keys, count);
  return ascendingEntries(std::move(keys), entries);
}

Array<int32_t> smallestBySign(const Pattern& pattern, std::span<const float> values, double fraction) {
  checkValues(pattern, values);
  if (pattern.block().size() != 1) {
    return smallestEntries(pattern, values, wholeShare(fraction, pattern.entries()));
  }
  Array<uint64_t> negatives, others;
  for (int64_t entry = 0; entry < pattern.entries(); ++entry) {
    (values[entry] < 0 ? negatives : others).push_back(dropKey(values[entry], entry));
  }
  selectSmallest(negatives, wholeShare(fraction, static_cast<int64_t>(negatives.size())));
  selectSmallest(others, wholeShare(fraction, static_cast<int64_t>(others.size())));
  negatives.insert(negatives.end(), others.begin(), others.end());
  return ascendingEntries(std::move(negatives), pattern.entries());
}

}  // namespace espalier
