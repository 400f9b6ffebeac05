#pragma once

#include <cstdint>
#include <vector>

#include "base/thread_pool.h"
#include "device/cpu/kernels/kernels.h"
#include "sparse/pattern.h"

namespace espalier::cpu {

// The three products of a sparse layer on plain matrices, feature-major and row-major with any batch: they
// are brought into panels, multiplied and brought back. Results do not depend on the number of threads.
// `values`: pattern.values().

/// What a product is computed with.
struct Means {
  const Kernels& kernels;
  ThreadPool& pool;
  /// Whether factors that are gathered are rounded to bfloat16.
  bool narrow = false;
};

/// out[rows x batch] = matrix x input[columns x batch].
void multiply(const Means& means, const Pattern& pattern, const float* values, const float* input,
              int64_t batch, float* out);

/// out[columns x batch] = transpose(matrix) x input[rows x batch].
void multiplyTransposed(const Means& means, const Pattern& pattern, const float* values, const float* input,
                        int64_t batch, float* out);

/// out[i] = dot(gradient[rows x batch], input[columns x batch]) of the row and column of stored weight i; 0
/// in padding.
void sampledProduct(const Means& means, const Pattern& pattern, const float* gradient, const float* input,
                    int64_t batch, float* out);

/// multiplyTransposed() of gradient and sampledProduct() at once, in the same bits. For blocks of 1 x 1.
void backwardProducts(const Means& means, const Pattern& pattern, const float* values, const float* gradient,
                      const float* input, int64_t batch, float* inputGradient, float* weightGradient);

/// RigL's growth: the `count` block positions outside the pattern where gradient x transpose(input) is
/// largest (see growByGradient), ascending. Throws Error(Option) where there is no room.
Array<int64_t> growPositions(const Kernels& kernels, ThreadPool& pool, const Pattern& pattern,
                             const float* gradient, const float* input, int64_t batch, int64_t count);

}  // namespace espalier::cpu
