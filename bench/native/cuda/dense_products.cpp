#include "attempt.h"
#include "device/cuda/kernels/dense_copy.h"
#include "device/cuda/libraries/blas.h"
#include "device/cuda/pattern/device_pattern.h"
#include "kernels.h"
#include "products.h"
#include "wide_workspace.h"

namespace espalier::cuda::bench {
namespace {

/// How cuBLAS multiplies. Float32 both ways: pedantic is what products are compared with, but may not be the
/// fastest.
struct Arithmetic {
  Precision precision = Precision::Float32;
  bool pedantic = true;
};
constexpr Arithmetic kArithmetics[] = {
    {Precision::Float32}, {Precision::Float32, false}, {Precision::Tf32}, {Precision::Bfloat16}};

/// A dense layer of size x size weights, a mask, and room for one product and its reference.
class DenseLayerBench {
 public:
  DenseLayerBench(Context& context, Timer& timer, Blas& blas, Budget& budget, int64_t size)
      : context_(context),
        timer_(timer),
        blas_(blas),
        budget_(budget),
        size_(size),
        weight_(context.memory, size * size),
        masked_(context.memory, size * size),
        rounded_(context.memory, size * size),
        mask_(context.memory, size * size),
        gradient_(context.memory, size * size),
        referenceGradient_(context.memory, size * size) {
    fillUniform(context, weight_.data(), weight_.size(), 13);
    // How fast a mask is applied does not depend on what it holds.
    const DevicePattern pattern(context, drawPattern({size, size, {}}, 0.01, 14), 0, 0);
    mask_.clear();
    scatterMask(context, pattern.forwardView(nullptr), mask_.data());
  }

  void measureBatch(const ProductCell& cell) {
    const LayerFeatures features(context_, size_, cell.batch);
    DeviceBuffer<float> output(context_.memory, features.size()), reference(context_.memory, features.size());
    for (const bool masks : {false, true}) {
      for (const ProductKind product : kProductKinds) {
        const bool weights = product == ProductKind::WeightGradient;
        float* const expected = weights ? referenceGradient_.data() : reference.data();
        multiply(features, product, {Precision::Float32}, masks, expected, cell.batch);
        for (const Arithmetic& arithmetic : kArithmetics) {
          const Precision precision = arithmetic.precision;
          Attempt attempt{cell, product, precision,
                          std::string(masks ? "masked" : "dense") + (arithmetic.pedantic ? "" : " default")};
          attempt.output = weights ? gradient_.data() : output.data();
          attempt.reference = expected;
          attempt.size = weights ? size_ * size_ : output.size();
          attempt.connections = size_ * size_;
          attempt.bytes = featureBytes(product, precision, features.size()) +
                          size_ * size_ * (precision == Precision::Bfloat16 && !weights ? 2 : 4);
          attempt.make = [&, product, arithmetic, masks, out = attempt.output] {
            if (arithmetic.precision == Precision::Bfloat16) {
              roundToBfloat16(context_, masks ? masked_.data() : weight_.data(), rounded_.data(),
                              rounded_.size());
            }
            return [&, product, arithmetic, masks, out] {
              multiply(features, product, arithmetic, masks, out, cell.batch);
            };
          };
          measure(context_, timer_, budget_, attempt);
        }
      }
    }
  }

 private:
  void multiply(const LayerFeatures& features, ProductKind product, const Arithmetic& arithmetic, bool masks,
                float* output, int32_t stride) {
    const Precision precision = arithmetic.precision;
    blas_.setPedantic(arithmetic.pedantic);
    __nv_bfloat16* const rounded = precision == Precision::Bfloat16 ? rounded_.data() : nullptr;
    const float* weight = weight_.data();
    if (masks && product != ProductKind::WeightGradient) {
      weight = masked_.data();
      // Once in a step: the input gradient finds the weights masked.
      if (product == ProductKind::Forward) {
        applyMask(context_, weight_.data(), mask_.data(), masked_.data(), rounded, masked_.size());
      }
    }
    const Features input = features.input(precision), outputGradient = features.outputGradient(precision);
    if (product == ProductKind::Forward) {
      blas_.multiply(weight, rounded, size_, size_, input, output, stride, precision);
    } else if (product == ProductKind::InputGradient) {
      blas_.multiplyTransposed(weight, rounded, size_, size_, outputGradient, output, stride, precision);
    } else {
      blas_.gradient(outputGradient, input, size_, size_, stride, output, precision);
      if (masks) applyMask(context_, output, mask_.data(), output, nullptr, size_ * size_);
    }
  }

  Context& context_;
  Timer& timer_;
  Blas& blas_;
  Budget& budget_;
  const int64_t size_;
  DeviceBuffer<float> weight_;
  DeviceBuffer<float> masked_;
  DeviceBuffer<__nv_bfloat16> rounded_;
  DeviceBuffer<uint8_t> mask_;
  DeviceBuffer<float> gradient_;
  DeviceBuffer<float> referenceGradient_;
};

}  // namespace

void measureDenseProducts(Context& context, const Options& options, Budget& budget) {
  Timer timer(context, options.scale);
  Blas blas(context);
  const DeviceBuffer<unsigned char> workspace = widenWorkspace(context, blas);
  std::unique_ptr<DenseLayerBench> layer;
  int64_t size = 0;
  for (const ProductCell& cell : denseCells(options.scale)) {
    if (!budget.allows(cell.name())) continue;
    guarded(context, cell.name(), [&] {
      if (cell.size != size) {
        layer.reset();
        size = 0;
        layer = std::make_unique<DenseLayerBench>(context, timer, blas, budget, cell.size);
        size = cell.size;
      }
      layer->measureBatch(cell);
    });
  }
}

}  // namespace espalier::cuda::bench
