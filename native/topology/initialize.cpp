#include "topology/initialize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "sparse/over_weights.h"

namespace espalier {
namespace {

/// Weights out of each input (padding left out).
Array<int64_t> fanOut(const Pattern& pattern) {
  const Grid& grid = pattern.grid();
  Array<int64_t> result(static_cast<size_t>(grid.columns));
  const int64_t lastRow = grid.blockRows() - 1;
  const int64_t lastHeight = grid.rows - lastRow * grid.block.rows;
  for (int64_t input = 0; input < grid.columns; ++input) {
    const int64_t column = input / grid.block.columns;
    const int64_t begin = pattern.columnOffsets()[column], end = pattern.columnOffsets()[column + 1];
    int64_t outputs = (end - begin) * grid.block.rows;
    if (end > begin && pattern.rows()[end - 1] == lastRow) outputs += lastHeight - grid.block.rows;
    result[input] = outputs;
  }
  return result;
}

/// Fills single entries of a pattern.
class Filler {
 public:
  Filler(const Pattern& pattern, const Initialization& initialization, RandomPurpose purpose, uint64_t seed,
         std::span<float> values)
      : pattern_(pattern), initialization_(initialization), purpose_(purpose), seed_(seed), values_(values) {
    require(static_cast<int64_t>(values.size()) >= pattern.values(), ErrorCode::Internal,
            "too few values to fill");
    if (initialization.kind == InitializationKind::He || initialization.kind == InitializationKind::Xavier) {
      fanIn_ = pattern.fanIn();
    }
    if (initialization.kind == InitializationKind::Xavier) fanOut_ = fanOut(pattern);
  }

  void fill(int64_t entry, int64_t blockRow) {
    const int64_t size = pattern_.block().size();
    std::fill_n(values_.data() + entry * size, size, 0.0f);
    if (initialization_.kind == InitializationKind::Zeros) return;
    overWeights(pattern_, blockRow, entry, [&](int64_t index, int64_t output, int64_t input) {
      values_[index] = weight(output, input);
    });
  }

 private:
  float weight(int64_t output, int64_t input) const {
    const double deviation = deviationOf(initialization_, fanIn_.empty() ? 0 : fanIn_[output],
                                         fanOut_.empty() ? 0 : fanOut_[input]);
    const auto index = static_cast<uint64_t>(output * pattern_.grid().columns + input);
    return static_cast<float>(deviation * randomNormal(seed_, purpose_, 0, index));
  }

  const Pattern& pattern_;
  const Initialization initialization_;
  const RandomPurpose purpose_;
  const uint64_t seed_;
  const std::span<float> values_;
  Array<int64_t> fanIn_;
  Array<int64_t> fanOut_;
};

}  // namespace

void initializeWeights(const Pattern& pattern, const Initialization& initialization, uint64_t seed,
                       std::span<float> values) {
  Filler filler(pattern, initialization, RandomPurpose::Weights, seed, values);
  for (int64_t row = 0; row < pattern.grid().blockRows(); ++row) {
    for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry) {
      filler.fill(entry, row);
    }
  }
}

void initializeNewWeights(const Pattern& pattern, std::span<const int32_t> entries,
                          const Initialization& initialization, uint64_t seed, std::span<float> values) {
  Filler filler(pattern, initialization, RandomPurpose::NewWeights, seed, values);
  const Array<int64_t>& offsets = pattern.rowOffsets();
  for (const int32_t entry : entries) {
    const auto after = std::upper_bound(offsets.begin(), offsets.end(), int64_t{entry});
    filler.fill(entry, after - offsets.begin() - 1);
  }
}

void initializeDense(int64_t outputs, int64_t inputs, const Initialization& initialization, uint64_t seed,
                     std::span<float> values) {
  const int64_t size = checkedProduct(outputs, inputs);
  require(static_cast<int64_t>(values.size()) >= size, ErrorCode::Internal, "too few values to fill");
  const double deviation = deviationOf(initialization, inputs, outputs);
  for (int64_t i = 0; i < size; ++i) {
    values[i] = deviation == 0 ? 0.0f
                               : static_cast<float>(deviation * randomNormal(seed, RandomPurpose::Weights, 0,
                                                                             static_cast<uint64_t>(i)));
  }
}

}  // namespace espalier
