#include "loops.h"

#include <string>

#include "base/error.h"
#include "device/cpu/instruction_set.h"

namespace espalier::bench {
namespace {

Loops loopsFor(const std::string& instructionSet) {
#if defined(__x86_64__)
  if (instructionSet.starts_with("avx512") || instructionSet == "amx") return avx512::loops();
  if (instructionSet == "avx2") return avx2::loops();
#elif defined(__aarch64__)
  if (instructionSet == "neon") return neon::loops();
#endif
  // A set that is forgotten here would have dense baselines and ceilings that are slower than they need be.
  require(instructionSet == "baseline", ErrorCode::Internal, "no loops for " + instructionSet);
  return baseline::loops();
}

}  // namespace

const Loops& defaultLoops() {
  static const Loops loops = loopsFor(cpu::defaultKernels().name);
  return loops;
}

}  // namespace espalier::bench
