#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device/cuda/base/context.h"
#include "device/cuda/base/workspace.h"
#include "device/cuda/kernels/features.h"
#include "device/cuda/kernels/update.h"
#include "device/cuda/libraries/blas.h"
#include "device/cuda/libraries/cusparse_products.h"
#include "device/cuda/pattern/device_pattern.h"
#include "device/device.h"

namespace espalier::cuda {

/// What the products of a network share.
struct ProductSetting {
  Context& context;
  Workspace& workspace;
  Blas& blas;
  SparseLibrary& sparse;
  Precision precision = Precision::Float32;
  bool denseFallback = false;
};

/// One way to carry out one product of a sparse layer, on buffers that stay where they are.
class Product {
 public:
  virtual ~Product() = default;
  virtual std::string name() const = 0;
  /// What it needs of the workspace while it runs.
  virtual int64_t workspaceBytes() const { return 0; }
  /// Whether it walks the matrix chunk by chunk.
  virtual bool walksChunks() const { return false; }
  /// After the connections have moved.
  virtual void patternChanged() {}
  /// False where a captured graph of it does not survive a change of the pattern.
  virtual bool survivesPatternChange() const { return true; }
};

/// output = matrix x input.
class SpmmProduct : public Product {
 public:
  virtual void run() = 0;
};

/// The gradient of the weights, and, where it is not asked for itself, the optimizer's step with it.
class SddmmProduct : public Product {
 public:
  virtual void run(const UpdateRule& rule, const StepParameters* step) = 0;
};

/// What is multiplied: one sparse layer's weights, and the features on both sides.
struct LayerOperands {
  const DevicePattern& pattern;
  UpdateTarget weight;
  /// What is multiplied: the weights, or what stands for them.
  const float* values = nullptr;
  /// Where the gradient of `values` goes, moving nothing; null where it goes to the optimizer at once.
  float* gradient = nullptr;
  /// Whether it is to be multiplied as a dense matrix, and in no other way.
  bool masked = false;
  int32_t stride = 0;
  Features input;
  /// Gradient of the layer's own sums.
  Features outputGradient;
};

/// Makes a product; what it holds beside the workspace is taken when it is made.
template <typename Kind>
using ProductMaker = std::function<std::unique_ptr<Kind>()>;

// Every way there is for this layer and these settings; the first is the one to take unseen.

/// output = weights x input.
std::vector<ProductMaker<SpmmProduct>> forwardProducts(const ProductSetting& setting,
                                                       const LayerOperands& operands, float* output);
/// inputGradient = transpose(weights) x outputGradient.
std::vector<ProductMaker<SpmmProduct>> inputGradientProducts(const ProductSetting& setting,
                                                             const LayerOperands& operands,
                                                             float* inputGradient);
std::vector<ProductMaker<SddmmProduct>> weightGradientProducts(const ProductSetting& setting,
                                                               const LayerOperands& operands);

}  // namespace espalier::cuda
