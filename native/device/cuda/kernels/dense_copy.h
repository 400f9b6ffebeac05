#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/sparse_view.h"
#include "device/cuda/kernels/update.h"

namespace espalier::cuda {

/// rounded[i] = values[i], to nearest even.
void roundToBfloat16(const Context& context, const float* values, __nv_bfloat16* rounded, int64_t size);

/// Writes the stored weights of a CSR view into a row-major matrix of blockRows x blockOutputs rows and
/// blockColumns x blockInputs columns, whose other places are left alone.
void scatterToDense(const Context& context, const SparseView& forward, float* dense);

/// Gives the places of a dense gradient where weights are stored to the sink; the inverse of scatterToDense.
void settleFromDense(const Context& context, const SparseView& forward, const float* dense,
                     const GradientSink& sink);

}  // namespace espalier::cuda
