#pragma once

#include <cstdint>

#include "block.h"

// What the stand-ins for the project's own assembly call.

namespace espalier::emulation {

/// Copies 16 bytes into shared memory now or later, or sets them to 0.
void startCopy(void* shared, const void* global, bool present);

/// To 10 bits of mantissa, to nearest, ties away from 0.
uint32_t roundToTf32(float value);

void multiplyTf32(float* d, const uint32_t* a, const uint32_t* b, Place place);
void multiplyBfloat16(float* d, const uint32_t* a, const uint32_t* b, Place place);
void loadMatrices(uint32_t* r, const void* row, bool transposed, Place place);

}  // namespace espalier::emulation
