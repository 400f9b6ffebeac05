#include "loops.h"

#include <string_view>

#include "device/cpu/instruction_set.h"

namespace espalier::bench {
namespace {

Loops loopsFor(std::string_view instructionSet) {
#if defined(__x86_64__)
  if (instructionSet.starts_with("avx512")) return avx512::loops();
  if (instructionSet == "avx2") return avx2::loops();
#elif defined(__aarch64__)
  if (instructionSet == "neon") return neon::loops();
#endif
  return baseline::loops();
}

}  // namespace

const Loops& defaultLoops() {
  static const Loops loops = loopsFor(cpu::defaultKernels().name);
  return loops;
}

}  // namespace espalier::bench
