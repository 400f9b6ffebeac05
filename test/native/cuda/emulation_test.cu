// The tools that kernels are made of, on the card and on its emulation alike: both must agree with what is
// written down here.

#include <cuda_bf16.h>

#include <limits>

#include "device/cuda/base/async_copy.cuh"
#include "device/cuda/base/launch.h"
#include "device/cuda/base/matrix_units.cuh"
#include "device/cuda/base/shared_memory.cuh"
#include "support.h"

namespace espalier::cuda {
namespace {

using namespace test;

constexpr unsigned kAllLanes = 0xFFFFFFFFu;

/// output[block] = sum of the block's part of input.
template <int kThreads>
__global__ void __launch_bounds__(kThreads) sumBlocks(const float* __restrict__ input, float* output) {
  __shared__ float sums[kThreads / 32];
  float sum = input[blockIdx.x * kThreads + threadIdx.x];
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(kAllLanes, sum, offset);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x > 0) return;
  for (int warp = 1; warp < kThreads / 32; ++warp) sum += sums[warp];
  output[blockIdx.x] = sum;
}

TEST("tools: barriers and shuffles sum blocks") {
  Context context;
  std::vector<float> values(256 * 7);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const auto input = upload(context, values);
  auto output = poisoned<float>(context, 7);
  launch(context, sumBlocks<256>, {7, 256, 0}, input.data(), output.data());
  const std::vector<float> sums = download(output);
  for (size_t block = 0; block < 7; ++block) {
    expectClose(sums[block], 256.0 * (256.0 * static_cast<double>(block) + 127.5), 1e-2, "sum of a block");
  }
}

/// Twelve numbers for each lane of one warp.
__global__ void exchange(int* output) {
  const int lane = static_cast<int>(threadIdx.x);
  const unsigned half = lane < 16 ? 0x0000FFFFu : 0xFFFF0000u;
  int* to = output + 12 * lane;
  to[0] = __shfl_sync(kAllLanes, 100 + lane, lane + 3);
  to[1] = __shfl_sync(kAllLanes, 100 + lane, 5, 8);
  to[2] = __shfl_up_sync(kAllLanes, 100 + lane, 2);
  to[3] = __shfl_up_sync(kAllLanes, 100 + lane, 2, 8);
  to[4] = __shfl_down_sync(kAllLanes, 100 + lane, 4);
  to[5] = __shfl_down_sync(half, 100 + lane, 4, 16);
  to[6] = __shfl_xor_sync(half, 100 + lane, 8);
  to[7] = static_cast<int>(__ballot_sync(kAllLanes, lane % 3 == 0));
  to[8] = static_cast<int>(__ballot_sync(half, lane % 2));
  to[9] = __any_sync(half, lane == 20);
  to[10] = __all_sync(half, lane < 16);
  to[11] = static_cast<int>(__shfl_sync(kAllLanes, (1ll << 40) + lane, 9) >> 32);
}

TEST("tools: shuffles and votes of every kind") {
  Context context;
  auto output = poisoned<int>(context, 12 * 32);
  launch(context, exchange, {1, 32, 0}, output.data());
  const std::vector<int> found = download(output);
  for (int lane = 0; lane < 32; ++lane) {
    const bool low = lane < 16;
    const int expected[12] = {100 + (lane + 3) % 32,
                              100 + lane / 8 * 8 + 5,
                              100 + (lane < 2 ? lane : lane - 2),
                              100 + (lane % 8 < 2 ? lane : lane - 2),
                              100 + (lane + 4 < 32 ? lane + 4 : lane),
                              100 + (lane % 16 + 4 < 16 ? lane + 4 : lane),
                              100 + (lane ^ 8),
                              static_cast<int>(0x49249249u),
                              static_cast<int>(low ? 0x0000AAAAu : 0xAAAA0000u),
                              low ? 0 : 1,
                              low ? 1 : 0,
                              1 << 8};
    for (int i = 0; i < 12; ++i) {
      expectClose(found[static_cast<size_t>(12 * lane + i)], expected[i], 0,
                  "exchange " + std::to_string(i) + " in lane " + std::to_string(lane));
    }
  }
}

__global__ void count(unsigned* total, int* smallest, int* largest, unsigned long long* sum,
                      unsigned* owner) {
  const int number = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(total, 1u);
  atomicMin(smallest, number - 7);
  atomicMax(largest, number);
  atomicAdd(sum, static_cast<unsigned long long>(number));
  atomicCAS(owner, 0xFFFFFFFFu, static_cast<unsigned>(number));
}

TEST("tools: atomic deeds of many blocks") {
  Context context;
  auto total = upload(context, std::vector<unsigned>{0});
  auto bounds = upload(context, std::vector<int>{1 << 20, -1});
  auto sum = upload(context, std::vector<unsigned long long>{0});
  auto owner = poisoned<unsigned>(context, 1);
  launch(context, count, {9, 96, 0}, total.data(), bounds.data(), bounds.data() + 1, sum.data(),
         owner.data());
  expect(download(total)[0] == 864, "as many as there are threads");
  expect(download(bounds) == std::vector<int>({-7, 863}), "the smallest and the largest");
  expect(download(sum)[0] == 863ull * 864 / 2, "the sum");
  expect(download(owner)[0] < 864, "exactly one wins");
}

/// Reverses tiles of 4 x threads numbers by way of shared memory, two tiles under way at once; from `size`
/// on, zeros.
__global__ void reverseTiles(const float* input, float* output, int tiles, int size) {
  const int tile = 4 * static_cast<int>(blockDim.x);
  const int mine = 4 * static_cast<int>(threadIdx.x);
  auto* shared = dynamicShared<float>();
  const auto fetch = [&](int i) {
    const int from = i * tile + mine;
    if (i < tiles) copyAsync16(shared + i % 2 * tile + mine, input + from, from < size);
    commitCopies();
  };
  fetch(0);
  for (int i = 0; i < tiles; ++i) {
    fetch(i + 1);
    waitForCopies<1>();
    __syncthreads();
    for (int k = 0; k < 4; ++k) output[i * tile + mine + k] = shared[i % 2 * tile + tile - 1 - mine - k];
    __syncthreads();
  }
}

TEST("tools: a launch takes no shared memory from others") {
  Context context;
  auto output = poisoned<float>(context, 4);
  const auto queue = [&](int64_t sharedBytes) {
    launch(context, reverseTiles, {1, 1, sharedBytes}, output.data(), output.data(), 0, 0);
  };
  queue(96 << 10);
  queue(64 << 10);
  // As a launch of another thread, after it was allowed what it needs and before it is queued.
  cudaLaunchConfig_t configuration{};
  configuration.gridDim = dim3(1);
  configuration.blockDim = dim3(1);
  configuration.dynamicSmemBytes = 96 << 10;
  configuration.stream = context.stream.get();
  const float* const none = nullptr;
  expect(cudaLaunchKernelEx(&configuration, reverseTiles, none, output.data(), 0, 0) == cudaSuccess,
         "as much as before");
  context.stream.synchronize();
}

TEST("tools: errors say whether memory lacks") {
  expectError(
      ErrorCode::Memory, [] { check(cudaErrorMemoryAllocation, "do it"); }, "out of memory");
  expectError(
      ErrorCode::Device, [] { check(cudaErrorInvalidValue, "do it"); }, "another error");
  expect(cardMemory().total > 0 && cardMemory().free <= cardMemory().total, "what is free");
}

TEST("tools: asynchronous copies in two buffers") {
  Context context;
  constexpr int kTile = 4 * 64;
  constexpr int kTiles = 5;
  constexpr int kSize = kTiles * kTile - 64;
  std::vector<float> values(kSize);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
  const auto input = upload(context, values);
  auto output = poisoned<float>(context, kTiles * kTile);
  launch(context, reverseTiles, {1, 64, 2 * kTile * 4}, input.data(), output.data(), kTiles, kSize);
  const std::vector<float> found = download(output);
  for (int i = 0; i < kTiles * kTile; ++i) {
    const int from = i / kTile * kTile + kTile - 1 - i % kTile;
    expectClose(found[static_cast<size_t>(i)], from < kSize ? from + 1 : 0, 0, "a reversed number");
  }
}

/// output[16 x 8] = a[16 x 8] x b[8 x 8] + 1, row-major.
__global__ void multiplyTile(const float* a, const float* b, float* output) {
  const int g = static_cast<int>(threadIdx.x) / 4;
  const int t = static_cast<int>(threadIdx.x) % 4;
  const uint32_t left[4] = {toTf32(a[8 * g + t]), toTf32(a[8 * (g + 8) + t]), toTf32(a[8 * g + t + 4]),
                            toTf32(a[8 * (g + 8) + t + 4])};
  const uint32_t right[2] = {toTf32(b[8 * t + g]), toTf32(b[8 * (t + 4) + g])};
  float d[4] = {1, 1, 1, 1};
  multiplyTf32(d, left, right);
  for (int i = 0; i < 4; ++i) output[8 * (g + i / 2 * 8) + 2 * t + i % 2] = d[i];
}

/// output[16 x 8] = a[16 x 16] x b[16 x 8], row-major; by way of shared memory and loadMatrices.
__global__ void multiplyRoundedTile(const float* a, const float* b, float* output) {
  alignas(16) __shared__ unsigned short left[16][16];
  alignas(16) __shared__ unsigned short right[16][8];
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 256; i += 32) left[i / 16][i % 16] = __bfloat16_as_ushort(__float2bfloat16_rn(a[i]));
  for (int i = lane; i < 128; i += 32) right[i / 8][i % 8] = __bfloat16_as_ushort(__float2bfloat16_rn(b[i]));
  __syncwarp();
  uint32_t leftParts[4];
  uint32_t rightParts[4];
  // Matrices 0 and 1 are rows 0 to 7 and 8 to 15 of the left columns, 2 and 3 those of the right ones.
  loadMatrices(leftParts, &left[lane % 16][lane / 16 * 8]);
  loadMatricesTransposed(rightParts, &right[lane % 16][0]);
  const uint32_t b16[2] = {rightParts[0], rightParts[1]};
  float d[4] = {0, 0, 0, 0};
  multiplyBfloat16(d, leftParts, b16);
  for (int i = 0; i < 4; ++i) output[8 * (lane / 4 + i / 2 * 8) + 2 * (lane % 4) + i % 2] = d[i];
}

TEST("tools: matrix units against float64") {
  Context context;
  Random random(5);
  std::vector<float> a(256);
  std::vector<float> b(128);
  for (float& value : a) value = random.uniform();
  for (float& value : b) value = random.uniform();
  const auto left = upload(context, a);
  const auto right = upload(context, b);
  for (const bool rounded : {false, true}) {
    auto output = poisoned<float>(context, 128);
    launch(context, rounded ? multiplyRoundedTile : multiplyTile, {1, 32, 0}, left.data(), right.data(),
           output.data());
    const std::vector<float> found = download(output);
    const size_t depth = rounded ? 16 : 8;
    for (size_t i = 0; i < 128; ++i) {
      double sum = rounded ? 0 : 1;
      for (size_t k = 0; k < depth; ++k) sum += double{a[i / 8 * depth + k]} * b[k * 8 + i % 8];
      expectClose(found[i], sum, rounded ? 0.05 : 0.005, rounded ? "a bfloat16 product" : "a TF32 product");
    }
  }
}

__global__ void roundNumbers(const float* input, unsigned short* rounded, unsigned* tf32, int size) {
  const int i = static_cast<int>(threadIdx.x);
  if (i >= size) return;
  rounded[i] = __bfloat16_as_ushort(__float2bfloat16_rn(input[i]));
  tf32[i] = toTf32(input[i]);
}

TEST("tools: roundings") {
  Context context;
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {1.0f,          1.00390625f, 1.01171875f, -1.00390625f,
                                     1.0048828125f, infinity,    3.4028e38f,  0x1.002p0f,
                                     0x1.003p0f,    -0x1.002p0f, 0.0f};
  const std::vector<unsigned short> rounded = {0x3F80, 0x3F80, 0x3F82, 0xBF80, 0x3F81, 0x7F80,
                                               0x7F80, 0x3F80, 0x3F80, 0xBF80, 0};
  const std::vector<unsigned> tf32 = {0x3F800000, 0x3F808000, 0x3F818000, 0xBF808000, 0x3F80A000, 0x7F800000,
                                      0x7F800000, 0x3F802000, 0x3F802000, 0xBF802000, 0};
  const auto size = static_cast<int64_t>(values.size());
  const auto input = upload(context, values);
  auto half = poisoned<unsigned short>(context, size);
  auto tensor = poisoned<unsigned>(context, size);
  launch(context, roundNumbers, {1, 32, 0}, input.data(), half.data(), tensor.data(), static_cast<int>(size));
  const auto foundRounded = download(half);
  const auto foundTensor = download(tensor);
  for (size_t i = 0; i < values.size(); ++i) {
    expectClose(foundRounded[i], rounded[i], 0, "bfloat16 of number " + std::to_string(i));
    // The hardware does not promise the lowest 13 bits.
    expectClose(foundTensor[i] & ~0x1FFFu, tf32[i], 0, "TF32 of number " + std::to_string(i));
  }
}

__global__ void addOne(int* number) {
  ++*number;
}

TEST("tools: graphs record and replay") {
  Context context;
  auto number = upload(context, std::vector<int>{5});
  DeviceBuffer<int> copy(context.memory, 1);
  const Graph graph(context.stream, [&] {
    launch(context, addOne, {1, 1, 0}, number.data());
    copy.copyFrom(number);
    launch(context, addOne, {1, 1, 0}, number.data());
  });
  expect(download(number)[0] == 5, "recording runs nothing");
  for (int i = 0; i < 3; ++i) graph.launch(context.stream);
  expect(download(number)[0] == 11, "three replays add six");
  expect(download(copy)[0] == 10, "the copy comes between");
}

TEST("tools: events order streams and tell times") {
  Context context;
  const Stream other;
  Event begin;
  Event end;
  auto number = upload(context, std::vector<int>{0});
  begin.record(context.stream);
  launch(context, addOne, {1, 1, 0}, number.data());
  end.record(context.stream);
  end.holdBack(other);
  PinnedBuffer<int> found(1);
  cudaMemcpyAsync(found.data(), number.data(), sizeof(int), cudaMemcpyDeviceToHost, other.get());
  other.synchronize();
  expect(found[0] == 1, "the other stream waited");
  end.synchronize();
  expect(end.passed() && begin.passed(), "both have passed");
  expect(end.millisecondsSince(begin) >= 0, "time does not run back");
}

}  // namespace
}  // namespace espalier::cuda
