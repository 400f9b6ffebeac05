#include "device/cuda/rewire/new_weights.h"

#include "base/random.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/pattern/search.cuh"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 256;

struct Layout {
  CsrArrays csr;
  const int32_t* columnOffsets;
  int64_t rows;
  int64_t columns;
  int32_t blockRows;
  int32_t blockColumns;

  /// Weights into an output of this block row, padding left out.
  __device__ int64_t fanIn(int32_t row) const {
    const int32_t begin = csr.offsets[row], end = csr.offsets[row + 1];
    int64_t inputs = int64_t{end - begin} * blockColumns;
    if (end > begin && csr.indices[end - 1] == csr.columns - 1) {
      inputs += columns - int64_t{csr.columns} * blockColumns;
    }
    return inputs;
  }
  /// Weights out of an input of this block column, padding left out.
  __device__ int64_t fanOut(int32_t column) const {
    int64_t outputs = int64_t{columnOffsets[column + 1] - columnOffsets[column]} * blockRows;
    const int32_t end = csr.offsets[csr.rows];
    const int32_t last = lowerBound(csr.indices, csr.offsets[csr.rows - 1], end, column);
    if (last < end && csr.indices[last] == column) outputs += rows - int64_t{csr.rows} * blockRows;
    return outputs;
  }
};

__global__ void __launch_bounds__(kThreads)
    drawWeights(Layout layout, const int32_t* source, Initialization initialization, uint64_t seed,
                float* values) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int32_t blockSize = layout.blockRows * layout.blockColumns;
  if (i >= int64_t{layout.csr.entries} * blockSize) return;
  const auto entry = static_cast<int32_t>(i / blockSize), inBlock = static_cast<int32_t>(i % blockSize);
  if (source[entry] >= 0) return;
  const int32_t row = rowOfEntry(layout.csr.offsets, layout.csr.rows, entry);
  const int32_t column = layout.csr.indices[entry];
  const int64_t output = int64_t{row} * layout.blockRows + inBlock / layout.blockColumns;
  const int64_t input = int64_t{column} * layout.blockColumns + inBlock % layout.blockColumns;
  if (output >= layout.rows || input >= layout.columns) return;
  const bool byFan = initialization.kind != InitializationKind::Normal;
  const bool bothFans = initialization.kind == InitializationKind::Xavier;
  const double deviation =
      deviationOf(initialization, byFan ? layout.fanIn(row) : 0, bothFans ? layout.fanOut(column) : 0);
  const auto place = static_cast<uint64_t>(output * layout.columns + input);
  values[i] = static_cast<float>(deviation * randomNormal(seed, RandomPurpose::NewWeights, 0, place));
}

}  // namespace

void drawNewWeights(Context& context, const DevicePattern& pattern, const int32_t* source,
                    const Initialization& initialization, uint64_t seed, float* values) {
  if (initialization.kind == InitializationKind::Zeros) return;
  const Grid& grid = pattern.grid();
  const Layout layout{pattern.csr(), pattern.columnOffsets(), grid.rows,
                      grid.columns,  grid.block.rows,         grid.block.columns};
  const auto blocks = static_cast<unsigned>(divideUp(pattern.values(), kThreads));
  launch(context, drawWeights, {blocks, kThreads, 0}, layout, source, initialization, seed, values);
}

}  // namespace espalier::cuda
