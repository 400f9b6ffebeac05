#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/sparse_view.h"
#include "device/cuda/kernels/update.h"

namespace espalier::cuda::bench {

/// Numbers in [-1, 1) that depend on the seed and their place alone.
void fillUniform(const Context& context, float* values, int64_t size, uint64_t seed);

/// mask[position] = 1 where the matrix has a weight; the rest is left alone. Row-major, as scatterToDense.
void scatterMask(const Context& context, const SparseView& forward, uint8_t* mask);

/// masked[i] = mask[i] ? values[i] : 0, and its rounded copy where there is one. masked may be values;
/// size is a multiple of 4, and every array aligned to 16 bytes.
void applyMask(const Context& context, const float* values, const uint8_t* mask, float* masked,
               __nv_bfloat16* rounded, int64_t size);

/// The masked way to train: gradient x mask, the optimizer's step on every weight, weight x mask, and the
/// rounded copy where there is one, all in one walk. The rule has a first moment or momentum. Size and arrays
/// as in applyMask.
void maskedUpdate(const Context& context, const UpdateRule& rule, const UpdateTarget& target,
                  const float* gradient, const uint8_t* mask, __nv_bfloat16* rounded, int64_t size,
                  const StepParameters* step);

/// The weights of a view in its own order, each entry's row by row by output: what a library needs that knows
/// no value index. Any block shape.
void copyInViewOrder(const Context& context, const SparseView& view, float* values);

/// Norm of a - b over the norm of b; NaN where a number is not finite. Waits.
double relativeDifference(Context& context, const float* a, const float* b, int64_t size);

/// Kernels that reach for one ceiling of the card each. They return how much they moved.

/// Bytes read from shared memory by multiply-adds on gathered rows of 512 bytes.
int64_t gatherShared(const Context& context, int32_t rounds, float* sink);
/// Bytes read from a buffer again and again by every block; 16-byte aligned, a multiple of 16 KiB.
int64_t readRepeatedly(const Context& context, const float* buffer, int64_t bytes, float* sink);
/// Bytes of a buffer that is read once, by all blocks together; 16-byte aligned, a multiple of 16 bytes.
int64_t readOnce(const Context& context, const unsigned char* buffer, int64_t bytes, float* sink);
/// One block that does nothing: what a launch costs.
void launchNothing(const Context& context);

/// Floats of `sink` that gatherShared, readRepeatedly and readOnce write.
int64_t ceilingSinkSize(const Card& card);

}  // namespace espalier::cuda::bench
