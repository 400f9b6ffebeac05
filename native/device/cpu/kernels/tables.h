#pragma once

#include "device/cpu/kernels/kernels.h"

// The table of kernels that each instruction set's file defines, where the processor's family has it.
namespace espalier::cpu {
namespace baseline {
const Kernels& kernels();
}
#if defined(__x86_64__)
namespace avx2 {
const Kernels& kernels();
}
namespace avx512 {
const Kernels& kernels();
}
/// The same, and products of bfloat16 by its own instruction.
namespace avx512bf16 {
const Kernels& kernels();
}
/// The same, and products of blocks in bfloat16 by matrix units (AMX).
namespace amx {
const Kernels& kernels();
}
#elif defined(__aarch64__)
namespace neon {
const Kernels& kernels();
}
#endif
}  // namespace espalier::cpu
