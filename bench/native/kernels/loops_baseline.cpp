#include <cmath>
#include <cstring>
#include <utility>

#include "loops.h"

namespace espalier::bench::baseline {
namespace {
#include "device/cpu/kernels/vector_baseline.h"
}  // namespace
#include "loops.inl"
}  // namespace espalier::bench::baseline
