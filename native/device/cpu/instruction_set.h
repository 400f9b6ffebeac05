#pragma once

#include <string>
#include <vector>

#include "device/cpu/kernels/kernels.h"

namespace espalier::cpu {

/// Names of the instruction sets that this machine can run, slowest first.
std::vector<std::string> instructionSets();

/// The kernels of an instruction set by name. Throws Error(Option) where this machine cannot run it.
const Kernels& kernelsFor(const std::string& name);

/// The best kernels, or those that ESPALIER_INSTRUCTION_SET names.
const Kernels& defaultKernels();

}  // namespace espalier::cpu
