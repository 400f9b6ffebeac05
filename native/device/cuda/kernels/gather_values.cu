#include "base/error.h"
#include "device/cuda/base/launch.h"
#include "device/cuda/kernels/sparse_products.h"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 256;

__global__ __launch_bounds__(kThreads) void gatherValuesKernel(const int32_t* __restrict__ valueIndex,
                                                               const float* __restrict__ values,
                                                               float* __restrict__ gathered,
                                                               int64_t entries) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < entries) gathered[i] = values[valueIndex[i]];
}

}  // namespace

void gatherValues(const Context& context, const int32_t* valueIndex, const float* values, float* gathered,
                  int64_t entries) {
  const auto blocks = static_cast<unsigned>(divideUp(entries, kThreads));
  launch(context, gatherValuesKernel, {blocks, kThreads}, valueIndex, values, gathered, entries);
}

}  // namespace espalier::cuda
