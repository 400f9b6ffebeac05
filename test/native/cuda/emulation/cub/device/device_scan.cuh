#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "machine/library_work.h"

namespace cub {

/// Running sums; with no memory given, tells how much is needed. Input and output may be the same array.
struct DeviceScan {
  template <typename In, typename Out, typename Size>
  static cudaError_t ExclusiveSum(void* scratch, size_t& scratchBytes, In* in, Out* out, Size size,
                                  cudaStream_t stream = nullptr) {
    return run<false>(scratch, scratchBytes, in, out, size, stream);
  }

  template <typename In, typename Out, typename Size>
  static cudaError_t InclusiveSum(void* scratch, size_t& scratchBytes, In* in, Out* out, Size size,
                                  cudaStream_t stream = nullptr) {
    return run<true>(scratch, scratchBytes, in, out, size, stream);
  }

 private:
  template <bool Inclusive, typename In, typename Out, typename Size>
  static cudaError_t run(void* scratch, size_t& scratchBytes, In* in, Out* out, Size size,
                         cudaStream_t stream) {
    const auto count = static_cast<size_t>(size);
    return espalier::emulation::queueLibraryWork(scratch, scratchBytes, count / 8 + 1024, stream,
                                                 {{in, count * sizeof(In)}, {out, count * sizeof(Out)}}, [=] {
                                                   // As in CUB, sums have the type of the input.
                                                   std::remove_const_t<In> sum = 0;
                                                   for (size_t i = 0; i < count; ++i) {
                                                     const auto before = sum;
                                                     sum += in[i];
                                                     out[i] = static_cast<Out>(Inclusive ? sum : before);
                                                   }
                                                 });
  }
};

}  // namespace cub
