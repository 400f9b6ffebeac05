#include <algorithm>

#include "device/cuda/base/launch.h"
#include "device/cuda/kernels/update.cuh"
#include "device/cuda/kernels/vectors.cuh"

namespace espalier::cuda {
namespace {

constexpr int32_t kThreads = 256;
/// Enough for every multiprocessor to be full.
constexpr int64_t kBlocksPerMultiprocessor = 8;

__device__ __forceinline__ void moveFour(const UpdateRule& rule, const StepParameters& step,
                                         const UpdateTarget& target, const float* gradient, int64_t i) {
  const Four g = loadFour(gradient + i);
  Four weight = loadFour(target.weights + i);
  if (rule.kind == OptimizerKind::Sgd) {
    const bool kept = target.first != nullptr;
    Four velocity{};
    if (kept) velocity = loadFour(target.first + i);
    for (int k = 0; k < 4; ++k) {
      weight.at[k] = movedBySgd(rule, step.learningRate, weight.at[k], g.at[k], kept, velocity.at[k]);
    }
    if (kept) storeFour(velocity, target.first + i);
  } else {
    Four first = loadFour(target.first + i), second = loadFour(target.second + i);
    int4 births = make_int4(0, 0, 0, 0);
    if (target.births != nullptr) births = *reinterpret_cast<const int4*>(target.births + i);
    const int32_t birth[4] = {births.x, births.y, births.z, births.w};
    for (int k = 0; k < 4; ++k) {
      weight.at[k] = movedByAdam(rule, step.learningRate, step.update, birth[k], weight.at[k], g.at[k],
                                 first.at[k], second.at[k]);
    }
    storeFour(first, target.first + i);
    storeFour(second, target.second + i);
  }
  storeFour(weight, target.weights + i);
}

/// Weights below 4 x vectors by fours, the rest one by one.
__global__ void __launch_bounds__(kThreads)
    updateKernel(UpdateRule rule, UpdateTarget target, const float* gradient, int64_t size, int64_t vectors,
                 const StepParameters* parameters) {
  if (!parameters->moveWeights) return;
  StepParameters step;
  step.learningRate = parameters->learningRate;
  step.update = parameters->update;
  const int64_t first = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int64_t threads = int64_t{gridDim.x} * kThreads;
  for (int64_t i = first; i < vectors; i += threads) moveFour(rule, step, target, gradient, 4 * i);
  for (int64_t i = 4 * vectors + first; i < size; i += threads)
    moveWeight(rule, step, target, i, gradient[i]);
}

bool aligned(const void* memory) {
  return reinterpret_cast<uintptr_t>(memory) % 16 == 0;
}

}  // namespace

void updateWeights(const Context& context, const UpdateRule& rule, const UpdateTarget& target,
                   const float* gradient, int64_t size, const StepParameters* step) {
  const bool byFours = aligned(target.weights) && aligned(target.first) && aligned(target.second) &&
                       aligned(target.births) && aligned(gradient);
  const int64_t vectors = byFours ? size / 4 : 0;
  const int64_t threads = std::max(vectors, size - 4 * vectors);
  const int64_t blocks =
      std::min(divideUp(threads, kThreads), context.card.multiprocessors * kBlocksPerMultiprocessor);
  launch(context, updateKernel, {dim3(static_cast<uint32_t>(blocks)), dim3(kThreads)}, rule, target, gradient,
         size, vectors, step);
}

}  // namespace espalier::cuda
