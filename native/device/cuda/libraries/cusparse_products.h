#pragma once

#include <cusparse.h>

#include <cstdint>
#include <memory>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/features.h"
#include "device/cuda/kernels/sparse_view.h"

namespace espalier::cuda {

/// cuSPARSE's handle on the context's stream.
class SparseLibrary {
 public:
  explicit SparseLibrary(Context& context);
  cusparseHandle_t handle() const { return handle_.get(); }
  /// Its version, such as 12603.
  int version() const;

 private:
  struct Deleter {
    using pointer = cusparseHandle_t;
    void operator()(cusparseHandle_t handle) const {
      const auto turn = captureTurn();
      cusparseDestroy(handle);
    }
  };
  std::unique_ptr<cusparseHandle_t, Deleter> handle_;
};

/// output = matrix x input (SpMM, not transposed, row-major, repeatable: CSR_ALG3) for one matrix of 1 x 1
/// blocks and fixed buffers, in float32. prepare() analyses the pattern, and must be called again after it
/// has changed; run() may be captured in a graph.
class CusparseSpmm {
 public:
  CusparseSpmm(Context& context, SparseLibrary& library, const SparseView& matrix, const float* input,
               float* output, int64_t stride);
  void prepare();
  void run();
  int64_t bytes() const;

 private:
  struct Descriptors;
  struct Deleter {
    void operator()(Descriptors* descriptors) const;
  };
  SparseLibrary& library_;
  std::unique_ptr<Descriptors, Deleter> descriptors_;
  DeviceMemory& memory_;
  DeviceBuffer<unsigned char> scratch_;
};

/// gradient = outputGradient x transpose(input) sampled at a 1 x 1 pattern (SDDMM), in float32; see
/// CusparseSpmm.
class CusparseSddmm {
 public:
  CusparseSddmm(Context& context, SparseLibrary& library, const SparseView& forward,
                const float* outputGradient, const float* input, int64_t stride, float* gradient);
  void prepare();
  void run();
  int64_t bytes() const;

 private:
  struct Descriptors;
  struct Deleter {
    void operator()(Descriptors* descriptors) const;
  };
  SparseLibrary& library_;
  std::unique_ptr<Descriptors, Deleter> descriptors_;
  DeviceMemory& memory_;
  DeviceBuffer<unsigned char> scratch_;
};

}  // namespace espalier::cuda
