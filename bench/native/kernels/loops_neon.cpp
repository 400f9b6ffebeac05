#include "loops.h"

#if defined(__aarch64__)

#include <cmath>
#include <cstring>
#include <utility>

#include <arm_neon.h>

namespace espalier::bench::neon {
namespace {
#include "device/cpu/kernels/vector_neon.h"
}  // namespace
#include "loops.inl"
}  // namespace espalier::bench::neon

#endif
