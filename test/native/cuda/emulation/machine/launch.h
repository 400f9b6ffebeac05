#pragma once

#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime_api.h"

struct cudaLaunchConfig_t {
  dim3 gridDim{1, 1, 1};
  dim3 blockDim{1, 1, 1};
  size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
};

namespace espalier::emulation {

/// Queues a kernel with its arguments bound; pointers: those among the arguments.
cudaError_t queueKernel(const cudaLaunchConfig_t& configuration, const void* kernel,
                        std::function<void()> body, std::vector<const void*> pointers);

template <typename T>
void collectPointer(std::vector<const void*>& pointers, const T& argument) {
  if constexpr (std::is_pointer_v<T>) pointers.push_back(argument);
}

}  // namespace espalier::emulation

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* configuration, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  static_assert((!std::is_reference_v<Parameters> && ...), "a kernel takes its arguments by value");
  static_assert((std::is_trivially_copyable_v<Parameters> && ...),
                "arguments of kernels are copied as bytes");
  std::tuple<std::remove_cv_t<Parameters>...> bound(
      static_cast<Parameters>(std::forward<Arguments>(arguments))...);
  std::vector<const void*> pointers;
  std::apply([&](const auto&... values) { (espalier::emulation::collectPointer(pointers, values), ...); },
             bound);
  return espalier::emulation::queueKernel(
      *configuration, reinterpret_cast<const void*>(kernel), [kernel, bound] { std::apply(kernel, bound); },
      std::move(pointers));
}

template <typename... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute, int value) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}
template <typename... Parameters>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void (*kernel)(Parameters...),
                                                          int blockSize, size_t sharedBytes) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, reinterpret_cast<const void*>(kernel),
                                                       blockSize, sharedBytes);
}
