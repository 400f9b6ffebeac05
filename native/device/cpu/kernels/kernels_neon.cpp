#include "device/cpu/kernels/tables.h"

#if defined(__aarch64__)

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/random.h"

#include <arm_neon.h>

namespace espalier::cpu::neon {
namespace {
#include "device/cpu/kernels/vector_neon.h"
}  // namespace
#include "device/cpu/kernels/all.inl"

const Kernels& kernels() {
  static const Kernels instance = table("neon");
  return instance;
}

}  // namespace espalier::cpu::neon

#endif
