#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "device/cuda/kernels/features.h"
#include "device/cuda/pattern/device_pattern.h"
#include "feature_buffers.h"
#include "support.h"

namespace espalier::cuda::test {

/// A matrix to multiply by and the batch to do it with.
struct SparseCase {
  Grid grid;
  double density = 0.3;
  int32_t stride = 8;
  /// Of the card, as far as launches know: few of either make many stages and long walks of a block.
  int64_t sharedBytes = 8192;
  int32_t multiprocessors = 3;
};

inline std::string nameOf(const SparseCase& c, bool bfloat16) {
  return std::to_string(c.grid.rows) + " x " + std::to_string(c.grid.columns) + " of " +
         std::to_string(c.grid.block.rows) + " x " + std::to_string(c.grid.block.columns) + ", stride " +
         std::to_string(c.stride) + (bfloat16 ? ", bfloat16" : "");
}

inline void limitCard(Context& context, const SparseCase& c) {
  context.card.sharedBytesPerBlock = c.sharedBytes;
  context.card.multiprocessors = c.multiprocessors;
}

/// Shapes that no size of warp, group, chunk or tile divides.
inline std::vector<SparseCase> plainCases() {
  return {
      {{1, 1, {1, 1}}, 1.0, 8},
      {{1, 300, {1, 1}}, 0.9, 24},
      {{300, 1, {1, 1}}, 0.9, 40},
      {{37, 53, {1, 1}}, 0.2, 8},
      {{37, 53, {1, 1}}, 0.2, 136, 8192, 20},
      {{45, 131, {1, 1}}, 0.5, 40},
      {{70, 90, {1, 1}}, 0.02, 72},
      {{33, 61, {1, 1}}, 0.3, 264},
      {{19, 40, {1, 1}}, 1.0, 520},
      // One row of more entries than any warp takes alone, and stages of the size of a real card.
      {{3, 1500, {1, 1}}, 0.1, 16, 227 * 1024, 132},
      {{70, 500, {1, 1}}, 0.15, 136, 227 * 1024, 2},
      // No chunk fits.
      {{21, 17, {1, 1}}, 0.4, 24, 128},
  };
}

inline std::vector<SparseCase> blockCases() {
  return {
      {{50, 70, {4, 1}}, 0.3, 24},
      {{50, 70, {1, 4}}, 0.3, 40, 16384},
      {{41, 43, {3, 5}}, 0.4, 136, 16384},
      {{30, 33, {2, 1}}, 0.4, 8},
      {{60, 60, {8, 8}}, 0.5, 72, 32768},
      {{35, 40, {9, 2}}, 0.5, 264, 16384},
      {{64, 100, {16, 16}}, 0.3, 8, 65536, 132},
  };
}

/// Features of whole blocks on the card; in bfloat16 only the copy has numbers, in float32 there is no copy.
class FeatureOperand {
 public:
  FeatureOperand(Context& context, Random& random, int64_t rows, int64_t paddedRows, int32_t stride,
                 bool bfloat16)
      : stride_(stride), reference_(randomValues(random, paddedRows * stride, 1)) {
    for (size_t i = 0; i < reference_.size(); ++i) {
      if (static_cast<int64_t>(i) >= rows * stride) reference_[i] = 0;
    }
    write(context, bfloat16);
  }

  /// Writes NaN to all samples of a feature.
  void poison(Context& context, int64_t row, bool bfloat16) {
    for (int32_t sample = 0; sample < stride_; ++sample) reference_[row * stride_ + sample] = std::nanf("");
    write(context, bfloat16);
  }

  Features features() const {
    return {values_.data(), reinterpret_cast<const __nv_bfloat16*>(rounded_.data())};
  }
  /// As the product sees it.
  const float* row(int64_t row) const { return reference_.data() + row * stride_; }

 private:
  void write(Context& context, bool bfloat16) {
    const auto size = static_cast<int64_t>(reference_.size());
    std::vector<uint16_t> bits;
    if (bfloat16) {
      for (float& value : reference_) {
        bits.push_back(roundedBits(value));
        value = fromRoundedBits(bits.back());
      }
    }
    rounded_ = upload(context, bits);
    values_ = bfloat16 ? poisoned<float>(context, size) : upload(context, reference_);
  }

  int32_t stride_;
  std::vector<float> reference_;
  DeviceBuffer<float> values_;
  DeviceBuffer<uint16_t> rounded_;
};

/// Calls work(weight, output, input, exists) for every stored weight; those of padding do not exist.
template <typename Work>
void forEachWeight(const Pattern& pattern, const Work& work) {
  const Grid& grid = pattern.grid();
  const int64_t rows = grid.block.rows, columns = grid.block.columns;
  for (int64_t row = 0; row < grid.blockRows(); ++row) {
    for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry) {
      for (int64_t i = 0; i < rows * columns; ++i) {
        const int64_t output = row * rows + i / columns;
        const int64_t input = pattern.columns()[entry] * columns + i % columns;
        work(entry * rows * columns + i, output, input, output < grid.rows && input < grid.columns);
      }
    }
  }
}

/// Every number is as near to its reference as float32 sums of terms of these magnitudes come.
inline void expectAllClose(const std::vector<float>& found, const std::vector<double>& sums,
                           const std::vector<double>& magnitudes, const std::string& what) {
  if (!expect(found.size() == sums.size(), what + ": size")) return;
  size_t i = 0;
  while (i < found.size() && std::abs(found[i] - sums[i]) <= 0x1p-20 * magnitudes[i]) ++i;
  if (i == found.size()) {
    expect(true, what);
  } else {
    expectClose(found[i], sums[i], 0x1p-20 * magnitudes[i], what + ": number " + std::to_string(i));
  }
}

/// Made-up weights, 0 in padding.
inline std::vector<float> weightsOf(const Pattern& pattern, Random& random) {
  std::vector<float> weights = randomValues(random, pattern.values(), 1);
  forEachWeight(pattern, [&](int64_t weight, int64_t, int64_t, bool exists) {
    if (!exists) weights[weight] = 0;
  });
  return weights;
}

}  // namespace espalier::cuda::test
