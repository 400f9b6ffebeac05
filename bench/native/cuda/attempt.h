#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "cells.h"
#include "device/cuda/kernels/features.h"
#include "device/device.h"
#include "timing.h"

namespace espalier::cuda::bench {

enum class ProductKind { Forward, InputGradient, WeightGradient };
inline constexpr std::array<ProductKind, 3> kProductKinds{ProductKind::Forward, ProductKind::InputGradient,
                                                          ProductKind::WeightGradient};

const char* nameOf(ProductKind kind);
const char* nameOf(Precision precision);

/// One way to carry out one product.
struct Attempt {
  ProductCell cell;
  ProductKind product = ProductKind::Forward;
  Precision precision = Precision::Float32;
  std::string implementation;
  /// Prepares it, and returns what is timed.
  std::function<std::function<void()>()> make = {};
  float* output = nullptr;
  const float* reference = nullptr;
  /// Numbers of the output.
  int64_t size = 0;
  /// Weights that exist.
  int64_t connections = 0;
  /// Every operand once: the fewest bytes that the product can move.
  int64_t bytes = 0;
};

/// Poisons the output, runs once, compares with the reference, times, and prints a line of kind "product".
void measure(Context& context, Timer& timer, Budget& budget, const Attempt& attempt);

/// Both sides of a layer of size x size weights, in float32 and in bfloat16, filled with random numbers.
class LayerFeatures {
 public:
  LayerFeatures(Context& context, int64_t size, int32_t stride);
  Features input(Precision precision) const { return of(input_, roundedInput_, precision); }
  Features outputGradient(Precision precision) const { return of(gradient_, roundedGradient_, precision); }
  /// Of either side.
  int64_t size() const { return input_.size(); }

 private:
  static Features of(const DeviceBuffer<float>& values, const DeviceBuffer<__nv_bfloat16>& rounded,
                     Precision precision) {
    return {values.data(), precision == Precision::Bfloat16 ? rounded.data() : nullptr};
  }

  DeviceBuffer<float> input_;
  DeviceBuffer<float> gradient_;
  DeviceBuffer<__nv_bfloat16> roundedInput_;
  DeviceBuffer<__nv_bfloat16> roundedGradient_;
};

/// Bytes of both sides' features as one product reads and writes them.
int64_t featureBytes(ProductKind product, Precision precision, int64_t featureNumbers);

}  // namespace espalier::cuda::bench
