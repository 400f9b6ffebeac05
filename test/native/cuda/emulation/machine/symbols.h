#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace espalier::emulation {

/// A variable of this program or library.
struct Variable {
  std::byte* address;
  size_t bytes;
};

/// The static __shared__ arrays of the project's kernels, found in the symbol table: uninitialized static
/// variables inside functions of espalier::cuda. Empty where the symbols were stripped.
const std::vector<Variable>& sharedVariables();

/// A kernel's name as a person writes it; its address where the symbols were stripped.
std::string kernelName(const void* kernel);

}  // namespace espalier::emulation
