#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/features.h"
#include "device/cuda/kernels/sparse_view.h"
#include "device/cuda/kernels/update.h"

namespace espalier::cuda {

// Products of 8 x 8, 16 x 16 and 32 x 32 blocks on the matrix units, with float32 sums: an entry's weights
// are a dense tile of A, the rows of the input below it a dense tile of B. Operands are rounded to bfloat16
// where the rounded copies of the features are given, else to TF32. Outputs and orders of sums as in
// sparse_products.h. Features cover whole blocks and all `stride` samples: what is padding is read too.

/// Whether these functions take blocks of this shape.
bool hasBlockProducts(int32_t blockOutputs, int32_t blockInputs);

/// output = matrix x input, for the CSR view (valueIndex null) and the transpose view alike.
void blockSpmm(const Context& context, const SparseView& matrix, Features input, float* output,
               int32_t stride);

/// The gradient of every stored weight; `forward` is the CSR view. The gradient of padding comes out as 0
/// where the padding of the features is 0.
void blockSddmm(const Context& context, const SparseView& forward, Features outputGradient, Features input,
                int32_t stride, const GradientSink& sink);

}  // namespace espalier::cuda
