#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/libraries/blas.h"
#include "device/cuda/rewire/rewire_layer.h"
#include "sparse/pattern.h"

namespace espalier::cuda {

/// Some block rows of the dense gradient of a layer.
struct GradientPanel {
  /// rows x block.rows x columns x block.columns, row-major.
  const float* gradient = nullptr;
  /// Block row i of the panel is block row first + i x step of the layer.
  int32_t first = 0;
  int32_t step = 1;
  /// In blocks.
  int32_t rows = 0;
  int32_t columns = 0;
  int64_t positions() const { return int64_t{rows} * columns; }
};

/// The dense gradient of a layer, panel by panel through one buffer: it never exists as a whole.
class GradientStream {
 public:
  /// scratchBytes: of the buffer at most, where one block row fits.
  GradientStream(Context& context, Blas& blas, const Grid& grid, const GradientSides& sides, int64_t entries,
                 int64_t scratchBytes);

  int32_t panels() const { return panels_; }
  /// Positions of the largest panel.
  int64_t panelPositions() const { return int64_t{panelRows_} * columns_; }

  /// Queues the making of a panel, 0 .. panels() - 1, unless it is the one at hand. The one before is lost.
  GradientPanel make(int32_t panel);
  /// Likewise, of block rows spread evenly over the layer that have at least so many positions, if they fit
  /// into a panel.
  GradientPanel makeSample(int64_t positions);

 private:
  void multiply(const float* outputGradient, int32_t rows);

  Context& context_;
  Blas& blas_;
  const Grid grid_;
  const GradientSides sides_;
  const int32_t rows_;
  const int32_t columns_;
  int32_t panelRows_ = 0;
  int32_t panels_ = 0;
  /// The panel in the buffer, or -1.
  int32_t atHand_ = -1;
  DeviceBuffer<float> buffer_;
};

}  // namespace espalier::cuda
