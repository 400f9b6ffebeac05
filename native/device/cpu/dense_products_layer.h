#pragma once

#include "device/cpu/linear_layer.h"

namespace espalier::cpu {

/// What layers share that multiply a dense matrix of outputs x inputs, row-major.
class DenseProductsLayer : public LinearLayer {
 public:
  using LinearLayer::LinearLayer;

 protected:
  /// Rows whose gradients are computed at once: those of a register tile.
  static constexpr int64_t kTileRows = 4;

  /// What this pass multiplies.
  virtual const float* matrix(const Pass& pass) const = 0;

  void multiply(const Pass& pass, const float* input, float* sums) override;
  void multiplyTransposed(const Pass& pass, const float* input, CpuLayer& below) override;
};

}  // namespace espalier::cpu
