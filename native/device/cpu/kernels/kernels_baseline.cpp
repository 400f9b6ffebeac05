#include "device/cpu/kernels/tables.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/random.h"

namespace espalier::cpu::baseline {
namespace {
#include "device/cpu/kernels/vector_baseline.h"
}  // namespace
#include "device/cpu/kernels/all.inl"

const Kernels& kernels() {
  static const Kernels instance = table("baseline");
  return instance;
}

}  // namespace espalier::cpu::baseline
