#include "device/cuda/rewire/gradient_stream.h"

#include <algorithm>

#include "device/cuda/rewire/rewire_state.h"

namespace espalier::cuda {
namespace {

/// A fortieth of the dense gradient, but no more than two numbers a weight: little beside the layer, and
/// enough that panels are few.
int64_t usefulBytes(const Grid& grid, int64_t entries) {
  const int64_t dense = grid.positions() / 40, sparse = 2 * entries;
  return std::max(kSmallBytes,
                  std::min(dense, sparse) * grid.block.size() * static_cast<int64_t>(sizeof(float)));
}

}  // namespace

GradientStream::GradientStream(Context& context, Blas& blas, const Grid& grid, const GradientSides& sides,
                               int64_t entries, int64_t scratchBytes)
    : context_(context),
      blas_(blas),
      grid_(grid),
      sides_(sides),
      rows_(static_cast<int32_t>(grid.blockRows())),
      columns_(static_cast<int32_t>(grid.blockColumns())) {
  const int64_t rowSize = checkedProduct(grid.block.size(), columns_);
  const int64_t rowBytes = rowSize * static_cast<int64_t>(sizeof(float));
  const int64_t fitting = std::min(scratchBytes, usefulBytes(grid, entries)) / rowBytes;
  panels_ = static_cast<int32_t>(divideUp(rows_, std::clamp<int64_t>(fitting, 1, rows_)));
  // As equal as possible.
  panelRows_ = static_cast<int32_t>(divideUp(rows_, panels_));
  panels_ = static_cast<int32_t>(divideUp(rows_, panelRows_));
  // Whole vectors, so that a kernel may read the last one.
  buffer_ = DeviceBuffer<float>(context.memory, roundUp(checkedProduct(rowSize, panelRows_), 4));
}

void GradientStream::multiply(const float* outputGradient, int32_t rows) {
  blas_.gradient({outputGradient, nullptr}, {sides_.input, nullptr}, int64_t{rows} * grid_.block.rows,
                 int64_t{columns_} * grid_.block.columns, sides_.stride, buffer_.data(), Precision::Float32);
}

GradientPanel GradientStream::make(int32_t panel) {
  const int32_t first = panel * panelRows_, rows = std::min(panelRows_, rows_ - first);
  if (atHand_ != panel) {
    multiply(sides_.outputGradient + int64_t{first} * grid_.block.rows * sides_.stride, rows);
    atHand_ = panel;
  }
  return {buffer_.data(), first, 1, rows, columns_};
}

GradientPanel GradientStream::makeSample(int64_t positions) {
  const auto rows = static_cast<int32_t>(std::clamp<int64_t>(divideUp(positions, columns_), 1, panelRows_));
  const int32_t step = rows_ / rows, first = step / 2;
  // The rows' gradients brought together.
  const int64_t rowSize = int64_t{grid_.block.rows} * sides_.stride;
  const auto rowBytes = static_cast<size_t>(rowSize) * sizeof(float);
  const size_t pitch = rowBytes * static_cast<size_t>(step);
  DeviceBuffer<float> gathered(context_.memory, rows * rowSize);
  const float* const from = sides_.outputGradient + first * rowSize;
  const auto kind = cudaMemcpyDeviceToDevice;
  cudaStream_t const stream = context_.stream.get();
  if (static_cast<int64_t>(pitch) <= context_.card.largestPitch) {
    check(cudaMemcpy2DAsync(gathered.data(), rowBytes, from, pitch, rowBytes, static_cast<size_t>(rows), kind,
                            stream),
          "copy on the GPU");
  } else {
    // Rows that lie so far apart are few.
    for (int64_t row = 0; row < rows; ++row) {
      check(cudaMemcpyAsync(gathered.data() + row * rowSize, from + row * step * rowSize, rowBytes, kind,
                            stream),
            "copy on the GPU");
    }
  }
  multiply(gathered.data(), rows);
  atHand_ = -1;
  return {buffer_.data(), first, step, rows, columns_};
}

}  // namespace espalier::cuda
