#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/features.h"
#include "device/cuda/kernels/sparse_view.h"
#include "device/cuda/kernels/update.h"

namespace espalier::cuda {

// Products on the ordinary units, for blocks of any shape; 1 x 1 has paths of its own. Arrays are aligned to
// 16 bytes. float32 sums; the operands are float32, or bfloat16 where the rounded copy is given. Outputs
// cover whole block rows, padding included, and all `stride` samples. Every sum runs in an order of its own
// that never changes, so equal inputs give equal bits.

/// output = matrix x input (SpMM), gathering rows of the input straight from global memory: best where an
/// output has few inputs. Long rows are split over warps.
void gatherSpmm(const Context& context, const SparseView& matrix, Features input, float* output,
                int32_t stride);

/// Block columns of a chunk for stagedSpmm and stagedSddmm on this card; `rounded`: whether they are given
/// rounded copies.
int32_t stagedChunkColumns(const Card& card, int32_t blockInputs, bool rounded);

/// output = matrix x input (SpMM), through chunks of the input that are staged in shared memory for a slice
/// of the samples: best where every input serves many outputs.
void stagedSpmm(const Context& context, const SparseView& matrix, const ChunkOffsets& chunks, Features input,
                float* output, int32_t stride);

/// gradient[entry] = sum over the samples of outputGradient[row] x input[column] at each stored weight
/// (SDDMM; `forward` is the CSR view), gathering straight from global memory.
void gatherSddmm(const Context& context, const SparseView& forward, Features outputGradient, Features input,
                 int32_t stride, const GradientSink& sink);

/// Floats that stagedSddmm needs in `partial`.
int64_t stagedSddmmScratch(const Card& card, const SparseView& forward, int32_t stride);

/// SDDMM through chunks of the input staged in shared memory. Sums over slices of the samples meet in
/// `partial`. Blocks other than 1 x 1 go the way of gatherSddmm.
void stagedSddmm(const Context& context, const SparseView& forward, const ChunkOffsets& chunks,
                 Features outputGradient, Features input, int32_t stride, float* partial,
                 const GradientSink& sink);

/// gathered[i] = values[valueIndex[i]]: the weights of a 1 x 1 matrix in the order of its transpose view.
void gatherValues(const Context& context, const int32_t* valueIndex, const float* values, float* gathered,
                  int64_t entries);

}  // namespace espalier::cuda
