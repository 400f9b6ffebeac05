#pragma once

#include <cuda_bf16.h>
#include <cusparse.h>

#include <cstdint>
#include <memory>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/sparse_view.h"
#include "device/cuda/libraries/cusparse_products.h"

namespace espalier::cuda::bench {

/// cuSPARSE's ways to multiply that the package does not offer itself: CSR by any algorithm, block CSR, and
/// bfloat16 operands; sums and outputs are float32. Matrices are not transposed, dense operands row-major.
enum class LibraryAlgorithm {
  /// Fast, repeatable only up to rounding.
  CsrAlgorithm2,
  /// Repeatable.
  CsrAlgorithm3,
  /// Block CSR.
  Bsr
};

/// Whether this toolkit's cuSPARSE multiplies block CSR matrices.
bool hasLibraryBlocks();

/// Values and features, in float32 or, where both rounded ones are given, in bfloat16.
struct LibraryOperands {
  /// Values in the view's own order, blocks row by row; see copyInViewOrder().
  const float* values = nullptr;
  const __nv_bfloat16* roundedValues = nullptr;
  Features input;
  int64_t stride = 0;
};

/// output = matrix x input. The view's values are not looked at. Throws Error(Device) where cuSPARSE refuses.
class LibrarySpmm {
 public:
  LibrarySpmm(Context& context, SparseLibrary& library, LibraryAlgorithm algorithm, const SparseView& matrix,
              const LibraryOperands& operands, float* output);
  void run();

 private:
  struct Parts;
  struct Deleter {
    void operator()(Parts* parts) const;
  };
  SparseLibrary& library_;
  const LibraryAlgorithm algorithm_;
  std::unique_ptr<Parts, Deleter> parts_;
  DeviceBuffer<unsigned char> scratch_;
};

/// gradient = outputGradient x transpose(input) at a block CSR pattern, in float32.
class LibraryBlockSddmm {
 public:
  LibraryBlockSddmm(Context& context, SparseLibrary& library, const SparseView& forward,
                    const float* outputGradient, const float* input, int64_t stride, float* gradient);
  void run();

 private:
  struct Parts;
  struct Deleter {
    void operator()(Parts* parts) const;
  };
  SparseLibrary& library_;
  std::unique_ptr<Parts, Deleter> parts_;
  DeviceBuffer<unsigned char> scratch_;
};

}  // namespace espalier::cuda::bench
