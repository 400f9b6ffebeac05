#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"

namespace espalier::cuda {

/// offsets[i] = sum of the counts before i, for i = 0 .. size; the sum of all must fit. counts may be
/// offsets. cursor: null, or gets a copy of the first `size` offsets.
void scanCounts(Context& context, const int32_t* counts, int32_t size, int32_t* offsets, int32_t* cursor);

}  // namespace espalier::cuda
