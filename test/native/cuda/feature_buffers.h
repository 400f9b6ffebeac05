#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "device/cuda/kernels/features.h"
#include "device/cuda/kernels/step_parameters.h"
#include "device/cuda/kernels/update.h"
#include "support.h"

namespace espalier::cuda::test {

/// Strides that kernels are tried at: the least, ones that fill no warp, and one that takes more than a
/// warp's share.
inline constexpr int32_t kStrides[] = {8, 24, 40, 136, 520};

/// The 16 bits of the nearest bfloat16, ties to even.
inline uint16_t roundedBits(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

inline float fromRoundedBits(uint16_t bits) {
  const uint32_t whole = uint32_t{bits} << 16;
  float value = 0;
  std::memcpy(&value, &whole, sizeof value);
  return value;
}

inline std::vector<float> randomValues(Random& random, int64_t size, float scale) {
  std::vector<float> values(static_cast<size_t>(size));
  for (float& value : values) value = scale * static_cast<float>(random.uniform());
  return values;
}

/// Zeroes what is beyond the batch's samples.
inline void clearPadding(std::vector<float>& values, int32_t stride, int32_t count) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (static_cast<int32_t>(i % static_cast<size_t>(stride)) >= count) values[i] = 0;
  }
}

/// Values on the card with the rounded copy that goes with them.
class FeatureBuffers {
 public:
  /// Poisoned.
  FeatureBuffers(Context& context, int64_t size, bool rounded = true)
      : values_(poisoned<float>(context, size)), rounded_(poisoned<uint16_t>(context, rounded ? size : 0)) {}
  /// Values that are there, and a poisoned copy.
  FeatureBuffers(Context& context, const std::vector<float>& values, bool rounded = true)
      : values_(upload(context, values)),
        rounded_(poisoned<uint16_t>(context, rounded ? static_cast<int64_t>(values.size()) : 0)) {}

  FeaturesOut out() { return {values_.data(), reinterpret_cast<__nv_bfloat16*>(rounded_.data())}; }
  float* data() { return values_.data(); }

  /// The values; expects the copy to be what rounding gives, where there is one.
  std::vector<float> checked(const std::string& what) const {
    const std::vector<float> values = download(values_);
    const std::vector<uint16_t> bits = download(rounded_);
    size_t wrong = 0;
    for (size_t i = 0; i < bits.size(); ++i) wrong += bits[i] != roundedBits(values[i]);
    expect(wrong == 0, what + ": rounded copy");
    return values;
  }

 private:
  DeviceBuffer<float> values_;
  DeviceBuffer<uint16_t> rounded_;
};

/// Step parameters on the card.
inline DeviceBuffer<StepParameters> stepOnCard(Context& context, const StepParameters& step) {
  DeviceBuffer<StepParameters> buffer(context.memory, 1);
  setStep(context, step, buffer.data());
  return buffer;
}

/// A step that moves weights by SGD at this rate.
inline StepParameters plainStep(int32_t count, float learningRate = 0.5f) {
  StepParameters step;
  step.count = count;
  step.learningRate = learningRate;
  step.moveWeights = true;
  return step;
}

/// SGD with a weight decay and an L1 penalty that must not reach what knows neither.
inline UpdateRule sgdWithDecay() {
  UpdateRule rule;
  rule.kind = OptimizerKind::Sgd;
  rule.weightDecay = 0.25f;
  rule.l1 = 0.5f;
  return rule;
}

}  // namespace espalier::cuda::test
