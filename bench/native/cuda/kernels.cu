#include "kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "device/cuda/base/launch.h"
#include "device/cuda/kernels/update.cuh"
#include "device/cuda/kernels/vectors.cuh"

namespace espalier::cuda::bench {
namespace {

constexpr int32_t kThreads = 256;
constexpr int32_t kDifferenceBlocks = 512;

/// Grids that walk: enough blocks to fill the card, never more than there is work for.
uint32_t walkingBlocks(const Context& context, int64_t size) {
  return static_cast<uint32_t>(
      std::min<int64_t>(divideUp(size, kThreads), int64_t{8} * context.card.multiprocessors));
}

__device__ __forceinline__ int64_t firstPlace() {
  return int64_t{blockIdx.x} * kThreads + threadIdx.x;
}
__device__ __forceinline__ int64_t placeStep() {
  return int64_t{gridDim.x} * kThreads;
}

__global__ void __launch_bounds__(kThreads) fillKernel(float* values, int64_t size, uint64_t seed) {
  for (int64_t i = firstPlace(); i < size; i += placeStep()) {
    // The finaliser of splitmix64.
    uint64_t z = seed * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(i) * 0xD1B54A32D192ED03u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    values[i] = static_cast<float>(static_cast<int32_t>(z >> 40) - (1 << 23)) * (1.0f / (1 << 23));
  }
}

/// The weights of one entry lie in the rows from `row` and the columns from `column` of the dense matrix.
struct EntryPlace {
  int64_t row = 0;
  int64_t column = 0;
};

/// Calls visit(entry, place) for every entry of the block rows that this block walks, one warp an entry.
template <typename Visit>
__device__ __forceinline__ void overEntries(const SparseView& view, const Visit& visit) {
  for (int32_t row = static_cast<int32_t>(blockIdx.x); row < view.blockRows;
       row += static_cast<int32_t>(gridDim.x)) {
    for (int32_t entry = view.offsets[row] + static_cast<int32_t>(threadIdx.y); entry < view.offsets[row + 1];
         entry += static_cast<int32_t>(blockDim.y)) {
      visit(entry,
            EntryPlace{int64_t{row} * view.blockOutputs, int64_t{view.indices[entry]} * view.blockInputs});
    }
  }
}

__global__ void __launch_bounds__(kThreads) scatterMaskKernel(SparseView view, uint8_t* mask) {
  const int64_t width = int64_t{view.blockColumns} * view.blockInputs;
  const int32_t size = view.blockOutputs * view.blockInputs;
  overEntries(view, [&](int32_t, const EntryPlace& place) {
    for (int32_t k = static_cast<int32_t>(threadIdx.x); k < size; k += static_cast<int32_t>(blockDim.x)) {
      mask[(place.row + k / view.blockInputs) * width + place.column + k % view.blockInputs] = 1;
    }
  });
}

__global__ void __launch_bounds__(kThreads) viewOrderKernel(SparseView view, float* values) {
  const int32_t size = view.blockOutputs * view.blockInputs;
  overEntries(view, [&](int32_t entry, const EntryPlace&) {
    const int32_t source = view.valueIndex != nullptr ? view.valueIndex[entry] : entry;
    for (int32_t k = static_cast<int32_t>(threadIdx.x); k < size; k += static_cast<int32_t>(blockDim.x)) {
      values[int64_t{entry} * size + k] =
          view.values[int64_t{source} * size + k / view.blockInputs * view.outputStride +
                      k % view.blockInputs * view.inputStride];
    }
  });
}

// Four at a time, as the package's own update goes.

__device__ __forceinline__ Four masked(const Four& values, uint32_t mask) {
  Four result;
  for (int32_t k = 0; k < 4; ++k) result.at[k] = (mask >> (8 * k) & 1) != 0 ? values.at[k] : 0.0f;
  return result;
}

__device__ __forceinline__ uint32_t loadMask(const uint8_t* mask, int64_t i) {
  return *reinterpret_cast<const uint32_t*>(mask + i);
}

__global__ void __launch_bounds__(kThreads)
    applyMaskKernel(const float* values, const uint8_t* mask, float* result, __nv_bfloat16* rounded,
                    int64_t size) {
  for (int64_t i = 4 * firstPlace(); i < size; i += 4 * placeStep()) {
    const Four kept = masked(loadFour(values + i), loadMask(mask, i));
    storeFour(kept, result + i);
    if (rounded != nullptr) storeRounded(kept, rounded + i);
  }
}

__global__ void __launch_bounds__(kThreads)
    maskedUpdateKernel(UpdateRule rule, UpdateTarget target, const float* gradient, const uint8_t* mask,
                       __nv_bfloat16* rounded, int64_t size, const StepParameters* parameters) {
  if (!parameters->moveWeights) return;
  const float learningRate = parameters->learningRate;
  const int32_t update = parameters->update;
  for (int64_t i = 4 * firstPlace(); i < size; i += 4 * placeStep()) {
    const uint32_t places = loadMask(mask, i);
    const Four g = masked(loadFour(gradient + i), places);
    Four weight = loadFour(target.weights + i), first = loadFour(target.first + i);
    if (rule.kind == OptimizerKind::Sgd) {
      for (int32_t k = 0; k < 4; ++k) {
        weight.at[k] = movedBySgd(rule, learningRate, weight.at[k], g.at[k], true, first.at[k]);
      }
    } else {
      Four second = loadFour(target.second + i);
      for (int32_t k = 0; k < 4; ++k) {
        weight.at[k] =
            movedByAdam(rule, learningRate, update, 0, weight.at[k], g.at[k], first.at[k], second.at[k]);
      }
      storeFour(second, target.second + i);
    }
    storeFour(first, target.first + i);
    weight = masked(weight, places);
    storeFour(weight, target.weights + i);
    if (rounded != nullptr) storeRounded(weight, rounded + i);
  }
}

/// Sums of squares of one block's share, of a - b and of b.
__global__ void __launch_bounds__(kThreads)
    differenceKernel(const float* a, const float* b, int64_t size, double* sums) {
  __shared__ double differences[kThreads];
  __shared__ double references[kThreads];
  double difference = 0, reference = 0;
  for (int64_t i = firstPlace(); i < size; i += placeStep()) {
    const double d = double{a[i]} - double{b[i]};
    difference += d * d;
    reference += double{b[i]} * double{b[i]};
  }
  differences[threadIdx.x] = difference;
  references[threadIdx.x] = reference;
  __syncthreads();
  for (uint32_t half = kThreads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      differences[threadIdx.x] += differences[threadIdx.x + half];
      references[threadIdx.x] += references[threadIdx.x + half];
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    sums[2 * blockIdx.x] = differences[0];
    sums[2 * blockIdx.x + 1] = references[0];
  }
}

// The inner loop of a row-gather product without anything around it: 16 bytes a thread from a row that the
// other threads of the warp read as well, four multiply-adds.
constexpr int32_t kGatherRows = 64;
constexpr int32_t kGatherUnroll = 8;
constexpr int32_t kCeilingThreads = 512;
constexpr int32_t kCeilingBlocksEach = 4;

__global__ void __launch_bounds__(kCeilingThreads) gatherSharedKernel(int32_t rounds, float* sink) {
  __shared__ float4 rows[kGatherRows][32];
  for (uint32_t i = threadIdx.x; i < kGatherRows * 32; i += kCeilingThreads) {
    const auto value = static_cast<float>(i);
    rows[i / 32][i % 32] = make_float4(value, value + 1, value + 2, value + 3);
  }
  __syncthreads();
  const uint32_t lane = threadIdx.x % 32;
  uint32_t row = threadIdx.x / 32;
  float4 sums[kGatherUnroll];
#pragma unroll
  for (int32_t k = 0; k < kGatherUnroll; ++k) sums[k] = make_float4(0, 0, 0, 0);
  float weight = 1.0f;
  for (int32_t round = 0; round < rounds; ++round) {
#pragma unroll
    for (int32_t k = 0; k < kGatherUnroll; ++k) {
      const float4 value = rows[(row + 23 * k) % kGatherRows][lane];
      sums[k].x = fmaf(weight, value.x, sums[k].x);
      sums[k].y = fmaf(weight, value.y, sums[k].y);
      sums[k].z = fmaf(weight, value.z, sums[k].z);
      sums[k].w = fmaf(weight, value.w, sums[k].w);
    }
    row = row * 5 + 17;
    weight += 0.5f;
  }
  float total = 0;
#pragma unroll
  for (int32_t k = 0; k < kGatherUnroll; ++k) total += sums[k].x + sums[k].y + sums[k].z + sums[k].w;
  sink[int64_t{blockIdx.x} * kCeilingThreads + threadIdx.x] = total;
}

constexpr int32_t kReadUnroll = 8;
constexpr int32_t kReadRounds = 2;

__global__ void __launch_bounds__(kCeilingThreads)
    readRepeatedlyKernel(const float4* buffer, int64_t size, float* sink) {
  // Every block begins elsewhere, so that they do not ask for the same lines at the same time.
  constexpr int64_t kStep = int64_t{kCeilingThreads} * kReadUnroll;
  const int64_t steps = size / kStep;
  float total = 0;
  for (int64_t i = 0; i < steps * kReadRounds; ++i) {
    const int64_t place = (i + int64_t{blockIdx.x} * 7) % steps * kStep + threadIdx.x;
    float4 values[kReadUnroll];
#pragma unroll
    for (int32_t k = 0; k < kReadUnroll; ++k) values[k] = buffer[place + int64_t{k} * kCeilingThreads];
#pragma unroll
    for (int32_t k = 0; k < kReadUnroll; ++k) {
      total += values[k].x + values[k].y + values[k].z + values[k].w;
    }
  }
  sink[int64_t{blockIdx.x} * kCeilingThreads + threadIdx.x] = total;
}

__global__ void __launch_bounds__(kCeilingThreads)
    readOnceKernel(const float4* buffer, int64_t size, float* sink) {
  const int64_t first = int64_t{blockIdx.x} * kCeilingThreads + threadIdx.x;
  float total = 0;
  for (int64_t i = first; i < size; i += int64_t{gridDim.x} * kCeilingThreads) {
    const float4 value = buffer[i];
    total += value.x + value.y + value.z + value.w;
  }
  sink[first] = total;
}

__global__ void nothingKernel(int32_t) {}

LaunchShape ceilingShape(const Card& card) {
  return {dim3(static_cast<uint32_t>(kCeilingBlocksEach * card.multiprocessors)), dim3(kCeilingThreads)};
}

void checkFours(int64_t size) {
  require(size % 4 == 0, ErrorCode::Internal, "masks are applied to four weights at a time");
}

LaunchShape entryShape(const SparseView& view) {
  return {dim3(static_cast<uint32_t>(view.blockRows)), dim3(32, kThreads / 32)};
}

}  // namespace

void fillUniform(const Context& context, float* values, int64_t size, uint64_t seed) {
  launch(context, fillKernel, {dim3(walkingBlocks(context, size)), dim3(kThreads)}, values, size, seed);
}

void scatterMask(const Context& context, const SparseView& forward, uint8_t* mask) {
  launch(context, scatterMaskKernel, entryShape(forward), forward, mask);
}

void applyMask(const Context& context, const float* values, const uint8_t* mask, float* masked,
               __nv_bfloat16* rounded, int64_t size) {
  checkFours(size);
  launch(context, applyMaskKernel, {dim3(walkingBlocks(context, size / 4)), dim3(kThreads)}, values, mask,
         masked, rounded, size);
}

void maskedUpdate(const Context& context, const UpdateRule& rule, const UpdateTarget& target,
                  const float* gradient, const uint8_t* mask, __nv_bfloat16* rounded, int64_t size,
                  const StepParameters* step) {
  checkFours(size);
  launch(context, maskedUpdateKernel, {dim3(walkingBlocks(context, size / 4)), dim3(kThreads)}, rule, target,
         gradient, mask, rounded, size, step);
}

void copyInViewOrder(const Context& context, const SparseView& view, float* values) {
  launch(context, viewOrderKernel, entryShape(view), view, values);
}

double relativeDifference(Context& context, const float* a, const float* b, int64_t size) {
  const uint32_t blocks = std::min<uint32_t>(walkingBlocks(context, size), kDifferenceBlocks);
  DeviceBuffer<double> sums(context.memory, 2 * int64_t{blocks});
  launch(context, differenceKernel, {dim3(blocks), dim3(kThreads)}, a, b, size, sums.data());
  std::vector<double> host(2 * size_t{blocks});
  sums.download(host);
  double difference = 0, reference = 0;
  for (size_t i = 0; i < host.size(); i += 2) {
    difference += host[i];
    reference += host[i + 1];
  }
  // A reference of nothing but zeros proves nothing.
  if (!(reference > 0)) return std::numeric_limits<double>::quiet_NaN();
  return std::sqrt(difference / reference);
}

int64_t ceilingSinkSize(const Card& card) {
  return int64_t{kCeilingBlocksEach} * card.multiprocessors * kCeilingThreads;
}

int64_t gatherShared(const Context& context, int32_t rounds, float* sink) {
  launch(context, gatherSharedKernel, ceilingShape(context.card), rounds, sink);
  return ceilingSinkSize(context.card) * rounds * kGatherUnroll * int64_t{sizeof(float4)};
}

int64_t readRepeatedly(const Context& context, const float* buffer, int64_t bytes, float* sink) {
  const int64_t size = bytes / static_cast<int64_t>(sizeof(float4));
  launch(context, readRepeatedlyKernel, ceilingShape(context.card), reinterpret_cast<const float4*>(buffer),
         size, sink);
  const int64_t steps = size / (int64_t{kCeilingThreads} * kReadUnroll);
  return steps * kReadRounds * int64_t{kReadUnroll} * static_cast<int64_t>(sizeof(float4)) *
         ceilingSinkSize(context.card);
}

int64_t readOnce(const Context& context, const unsigned char* buffer, int64_t bytes, float* sink) {
  launch(context, readOnceKernel, ceilingShape(context.card), reinterpret_cast<const float4*>(buffer),
         bytes / static_cast<int64_t>(sizeof(float4)), sink);
  return bytes;
}

void launchNothing(const Context& context) {
  launch(context, nothingKernel, {dim3(1), dim3(32)}, 0);
}

}  // namespace espalier::cuda::bench
