#pragma once

#include <cstdint>

namespace espalier::bench {

// The loops that only the benchmark needs, written once with the project's vectors and compiled for every
// instruction set, as the kernels of native/device/cpu are.

/// The weights of one stretch of a masked layer. All arrays have `size` numbers.
struct MaskedWeights {
  const float* mask;
  const float* gradient;
  float* velocity;
  float* weights;
  int64_t size;
};

struct Loops {
  /// SGD with momentum on masked weights: the mask is multiplied with the gradient before and with the
  /// weights after, in one walk.
  void (*maskedUpdate)(float learningRate, float momentum, const MaskedWeights& layer);

  /// Fused multiply-adds on registers, as many chains as keep the units busy. Returns the number of
  /// floating-point operations, two for each multiply-add; writes a number that depends on them all.
  int64_t (*multiplyAdd)(int64_t rounds, float* result);

  /// Adds `size` numbers, a multiple of kSumUnit, over and over; writes a number that depends on them all.
  void (*read)(const float* values, int64_t size, int64_t passes, float* result);
};

inline constexpr int64_t kSumUnit = 128;

/// For the instruction set of cpu::defaultKernels().
const Loops& defaultLoops();

namespace baseline {
Loops loops();
}
#if defined(__x86_64__)
namespace avx2 {
Loops loops();
}
namespace avx512 {
Loops loops();
}
#elif defined(__aarch64__)
namespace neon {
Loops loops();
}
#endif

}  // namespace espalier::bench
