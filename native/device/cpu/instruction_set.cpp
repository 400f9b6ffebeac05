#include "device/cpu/instruction_set.h"

#include <cstdlib>

#include "device/cpu/kernels/tables.h"

namespace espalier::cpu {
namespace {

std::vector<const Kernels*> available() {
  std::vector<const Kernels*> tables{&baseline::kernels()};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    tables.push_back(&avx2::kernels());
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
      tables.push_back(&avx512::kernels());
      if (__builtin_cpu_supports("avx512bf16")) tables.push_back(&avx512bf16::kernels());
    }
  }
#elif defined(__aarch64__)
  tables.push_back(&neon::kernels());
#endif
  return tables;
}

}  // namespace

std::vector<std::string> instructionSets() {
  std::vector<std::string> names;
  for (const Kernels* table : available()) names.emplace_back(table->name);
  return names;
}

const Kernels& kernelsFor(const std::string& name) {
  std::string allowed;
  for (const Kernels* table : available()) {
    if (name == table->name) return *table;
    allowed += (allowed.empty() ? "" : ", ") + std::string(table->name);
  }
  throw Error(ErrorCode::Option,
              "instruction set \"" + name + "\" is not available on this machine; allowed: " + allowed);
}

const Kernels& defaultKernels() {
  const char* const asked = std::getenv("ESPALIER_INSTRUCTION_SET");
  if (asked != nullptr && *asked != '\0') return kernelsFor(asked);
  return *available().back();
}

}  // namespace espalier::cpu
