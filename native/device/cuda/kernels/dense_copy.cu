#include <algorithm>

#include "device/cuda/base/launch.h"
#include "device/cuda/kernels/dense_copy.h"
#include "device/cuda/kernels/update.cuh"

namespace espalier::cuda {
namespace {

constexpr uint32_t kThreads = 256;
constexpr uint32_t kWarp = 32;

/// Blocks enough for `items`, one thread each, within what a grid may have; kernels walk on in grid strides.
LaunchShape shapeFor(int64_t items) {
  return {static_cast<uint32_t>(std::min<int64_t>(divideUp(items, kThreads), 65535)), kThreads};
}

__global__ void roundKernel(const float* __restrict__ values, __nv_bfloat16* __restrict__ rounded,
                            int64_t size) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += step) {
    rounded[i] = __float2bfloat16_rn(values[i]);
  }
}

/// Calls use(index of the weight, place in the dense matrix) for every stored weight: a warp a block row.
template <typename Use>
__device__ void overWeights(const SparseView& matrix, const Use& use) {
  const int32_t warps = static_cast<int32_t>(gridDim.x * (blockDim.x / kWarp));
  const int32_t size = matrix.blockOutputs * matrix.blockInputs;
  const int64_t width = int64_t{matrix.blockColumns} * matrix.blockInputs;
  for (int32_t row = static_cast<int32_t>((blockIdx.x * blockDim.x + threadIdx.x) / kWarp);
       row < matrix.blockRows; row += warps) {
    const int64_t begin = int64_t{matrix.offsets[row]} * size;
    const int64_t end = int64_t{matrix.offsets[row + 1]} * size;
    for (int64_t i = begin + threadIdx.x % kWarp; i < end; i += kWarp) {
      const int64_t entry = i / size;
      const auto inside = static_cast<int32_t>(i % size);
      const int64_t output = int64_t{row} * matrix.blockOutputs + inside / matrix.blockInputs;
      const int64_t input = int64_t{matrix.indices[entry]} * matrix.blockInputs + inside % matrix.blockInputs;
      use(i, output * width + input);
    }
  }
}

__global__ void scatterKernel(SparseView matrix, float* __restrict__ dense) {
  overWeights(matrix, [&](int64_t i, int64_t place) { dense[place] = matrix.values[i]; });
}

__global__ void settleKernel(SparseView matrix, const float* __restrict__ dense, GradientSink sink) {
  if (sink.gradient == nullptr && !sink.step->moveWeights) return;
  overWeights(matrix, [&](int64_t i, int64_t place) { settleGradient(sink, i, dense[place]); });
}

}  // namespace

void roundToBfloat16(const Context& context, const float* values, __nv_bfloat16* rounded, int64_t size) {
  launch(context, roundKernel, shapeFor(size), values, rounded, size);
}

void scatterToDense(const Context& context, const SparseView& forward, float* dense) {
  launch(context, scatterKernel, shapeFor(int64_t{forward.blockRows} * kWarp), forward, dense);
}

void settleFromDense(const Context& context, const SparseView& forward, const float* dense,
                     const GradientSink& sink) {
  launch(context, settleKernel, shapeFor(int64_t{forward.blockRows} * kWarp), forward, dense, sink);
}

}  // namespace espalier::cuda
