// What the emulation says of broken kernels and hosts. On a card these would be undefined.

#include <cuda_runtime.h>

#ifdef ESPALIER_CUDA_EMULATION

#include <sys/wait.h>
#include <unistd.h>

#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include "device/cuda/base/async_copy.cuh"
#include "device/cuda/base/launch.h"
#include "device/cuda/base/shared_memory.cuh"
#include "support.h"

namespace espalier::cuda {
namespace {

using namespace test;

constexpr unsigned kAllLanes = 0xFFFFFFFFu;

/// The work ends the process with a message that has these words; in a process of its own.
void expectAbort(const std::function<void()>& work, const std::string& words) {
  int pipes[2];
  if (!expect(pipe(pipes) == 0, "a pipe")) return;
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipes[1], STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    work();
    _exit(0);
  }
  close(pipes[1]);
  std::string message;
  char part[1024];
  for (ssize_t bytes = 0; (bytes = read(pipes[0], part, sizeof(part))) > 0;) {
    message.append(part, static_cast<size_t>(bytes));
  }
  close(pipes[0]);
  int status = 0;
  waitpid(child, &status, 0);
  expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "\"" + words + "\" ends the process");
  expect(message.find(words) != std::string::npos, "\"" + words + "\" is said, not: " + message);
}

/// Runs the kernel with one argument, memory of the card for 1024 floats, and waits.
void runAlone(void (*kernel)(float*), unsigned threads, int64_t sharedBytes = 0) {
  Context context;
  auto memory = poisoned<float>(context, 1024);
  launch(context, kernel, {1, threads, sharedBytes}, memory.data());
  context.stream.synchronize();
}

__global__ void notAllCome(float*) {
  if (threadIdx.x == 32) __syncwarp();
  __syncthreads();
}
__global__ void twoBarriers(float*) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}
__global__ void missingLane(float* output) {
  if (threadIdx.x % 32 == 3) {
    __syncthreads();
  } else {
    output[threadIdx.x] = __shfl_sync(kAllLanes, 1.0f, 0);
  }
}
__global__ void otherMask(float* output) {
  output[threadIdx.x] = __shfl_sync(threadIdx.x < 8 ? 0x000001FFu : kAllLanes, 1.0f, 0);
}
__global__ void otherDeed(float* output) {
  output[threadIdx.x] =
      threadIdx.x < 8 ? __shfl_xor_sync(kAllLanes, 1.0f, 1) : float(__any_sync(kAllLanes, 1));
}
__global__ void leftOut(float* output) {
  output[threadIdx.x] = __shfl_sync(0xFFu, 1.0f, 0);
}
__global__ void misaligned(float* input) {
  copyAsync16(dynamicShared<float>() + 4 * threadIdx.x, input + 1);
  commitCopies();
  waitForCopies<0>();
}
__global__ void noShared(float* output) {
  output[0] = dynamicShared<float>()[0];
}

TEST("emulation: broken kernels end with a message") {
  expectAbort([] { runAlone(notAllCome, 64); }, "thread (32, 0, 0) waits at __syncwarp in ");
  expectAbort([] { runAlone(twoBarriers, 64); }, "__syncthreads() is reached in ");
  expectAbort([] { runAlone(missingLane, 32); }, "for lanes 00000008 of mask ffffffff");
  expectAbort([] { runAlone(otherMask, 32); }, "of mask 000001ff");
  expectAbort([] { runAlone(otherDeed, 32); }, " wait at __");
  expectAbort([] { runAlone(leftOut, 32); }, "leaves the calling lane");
  expectAbort([] { runAlone(misaligned, 32, 512); }, "is not aligned to 16 bytes");
  expectAbort([] { runAlone(noShared, 32); }, "no dynamic shared memory");
  expectAbort([] { runAlone(missingLane, 32); }, "missingLane(float*)");
}

__global__ void keep(float*) {}

TEST("emulation: memory of the host is not the card's") {
  expectAbort(
      [] {
        Context context;
        std::vector<float> host(4);
        launch(context, keep, {1, 1, 0}, host.data());
        context.stream.synchronize();
      },
      "is not memory of the card");
  Context context;
  std::vector<float> host(4);
  std::vector<float> more(4);
  auto card = poisoned<float>(context, 4);
  const auto status = [&](void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
    const cudaError_t result = cudaMemcpyAsync(to, from, bytes, kind, context.stream.get());
    (void)cudaGetLastError();
    return result;
  };
  expect(status(host.data(), more.data(), 16, cudaMemcpyHostToDevice) == cudaErrorInvalidValue,
         "host to host");
  expect(status(card.data(), card.data(), 16, cudaMemcpyHostToDevice) == cudaErrorInvalidValue,
         "card to card");
  expect(status(card.data(), host.data(), 20, cudaMemcpyHostToDevice) == cudaErrorInvalidValue,
         "beyond the end");
}

/// output = what the block before left in shared memory, or what nobody wrote.
template <int kSize>
__global__ void readUnwritten(float* output) {
  __shared__ float kept[kSize];
  output[blockIdx.x * kSize + threadIdx.x] = kept[threadIdx.x] + dynamicShared<float>()[threadIdx.x];
  kept[threadIdx.x] = 1;
  dynamicShared<float>()[threadIdx.x] = 1;
}

/// Forgets the barrier between writing and reading.
__global__ void readNeighbour(float* output) {
  __shared__ float values[64];
  values[threadIdx.x] = static_cast<float>(threadIdx.x);
  output[threadIdx.x] = values[(threadIdx.x + 33) % 64];
}

/// Forgets to wait for its copy.
__global__ void readEarly(const float* input, float* output) {
  auto* shared = dynamicShared<float>() + 4 * threadIdx.x;
  copyAsync16(shared, input + 4 * threadIdx.x);
  commitCopies();
  output[threadIdx.x] = shared[0];
}

int64_t countNaN(const DeviceBuffer<float>& buffer) {
  int64_t count = 0;
  for (const float value : download(buffer)) count += std::isnan(value);
  return count;
}

TEST("emulation: what is read too early is poison") {
  Context context;
  auto output = poisoned<float>(context, 4 * 32);
  output.clear();
  launch(context, readUnwritten<32>, {4, 32, 32 * 4}, output.data());
  expect(countNaN(output) == 128, "shared memory that nobody wrote");
  auto neighbours = upload(context, std::vector<float>(64));
  launch(context, readNeighbour, {1, 64, 0}, neighbours.data());
  expect(countNaN(neighbours) > 0, "no barrier");
  const auto input = upload(context, std::vector<float>(256));
  auto early = upload(context, std::vector<float>(64));
  launch(context, readEarly, {1, 64, 1024}, input.data(), early.data());
  expect(countNaN(early) > 0, "no wait for a copy");
  const DeviceBuffer<float> fresh(context.memory, 10);
  expect(countNaN(fresh) == 10, "fresh memory of the card");
}

__global__ void store(int* to, int value) {
  *to = value;
}

TEST("emulation: streams work late") {
  Context context;
  PinnedBuffer<int> number(1);
  bool late = false;
  for (int i = 1; i <= 50; ++i) {
    launch(context, store, {1, 1, 0}, number.data(), i);
    late = late || number[0] != i;
    context.stream.synchronize();
    expect(number[0] == i, "done after waiting");
  }
  expect(late || std::getenv("ESPALIER_EMULATION_STREAMS") != nullptr, "not always done before");
}

__global__ void sumThreads(int* output) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, 1);
  __syncthreads();
  if (threadIdx.x == 0) output[blockIdx.x] = sum;
}

TEST("emulation: two threads of the host") {
  bool right[2] = {};
  const auto work = [&](int number) {
    Context context;
    DeviceBuffer<int> output(context.memory, 8);
    right[number] = true;
    for (int i = 0; i < 50; ++i) {
      output.clear();
      launch(context, sumThreads, {8, 96, 0}, output.data());
      right[number] = right[number] && download(output) == std::vector<int>(8, 96);
    }
  };
  std::thread other([&] { work(1); });
  work(0);
  other.join();
  expect(right[0] && right[1], "neither disturbs the other");
}

TEST("emulation: what does not fit is refused") {
  Context context;
  expectError(
      ErrorCode::Memory, [&] { context.memory.allocate(int64_t{1} << 50); }, "too much memory");
  expectError(
      ErrorCode::Device,
      [&] {
        launch(context, keep, {1, 2048, 0}, nullptr);
      },
      "too many threads");
  expectError(
      ErrorCode::Device,
      [&] {
        launch(context, keep, {{1, 70000}, 32, 0}, nullptr);
      },
      "too many blocks");
  const int64_t shared = context.card.sharedBytesPerBlock;
  expectError(
      ErrorCode::Device,
      [&] {
        launch(context, keep, {1, 32, shared + 1}, nullptr);
      },
      "too much shared memory");
  launch(context, keep, {1, 32, shared}, nullptr);
  expectError(
      ErrorCode::Device, [&] { Graph(context.stream, [&] { context.stream.synchronize(); }); },
      "waiting while capturing");
  expectError(
      ErrorCode::Device, [&] { Graph(context.stream, [&] { context.memory.allocate(16); }); },
      "allocating while capturing");
  context.stream.synchronize();
}

TEST("emulation: sorts and running sums") {
  Context context;
  const auto keys = upload(context, std::vector<unsigned>{0x13, 0x21, 0x11, 0x02, 0x23});
  const auto values = upload(context, std::vector<int>{0, 1, 2, 3, 4});
  auto sortedKeys = poisoned<unsigned>(context, 5);
  auto sortedValues = poisoned<int>(context, 5);
  size_t bytes = 0;
  const auto sort = [&](void* scratch) {
    return cub::DeviceRadixSort::SortPairs(scratch, bytes, keys.data(), sortedKeys.data(), values.data(),
                                           sortedValues.data(), 5, 0, 4, context.stream.get());
  };
  check(sort(nullptr), "ask");
  DeviceBuffer<unsigned char> scratch(context.memory, static_cast<int64_t>(bytes));
  check(sort(scratch.data()), "sort");
  expect(download(sortedKeys) == std::vector<unsigned>({0x21, 0x11, 0x02, 0x13, 0x23}),
         "by the lower bits, stable");
  expect(download(sortedValues) == std::vector<int>({1, 2, 3, 0, 4}), "values follow");
  const auto add = [&](void* memory) {
    return cub::DeviceScan::ExclusiveSum(memory, bytes, values.data(), sortedValues.data(), 5,
                                         context.stream.get());
  };
  check(add(nullptr), "ask");
  DeviceBuffer<unsigned char> more(context.memory, static_cast<int64_t>(bytes));
  check(add(more.data()), "sum");
  expect(download(sortedValues) == std::vector<int>({0, 0, 1, 3, 6}), "sums before each");
}

}  // namespace
}  // namespace espalier::cuda

#endif
