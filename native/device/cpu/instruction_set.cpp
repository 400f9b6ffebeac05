#include "device/cpu/instruction_set.h"

#include <cstdlib>

#include "device/cpu/kernels/tables.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace espalier::cpu {
namespace {

#if defined(__x86_64__)
/// Whether there are matrix units for bfloat16, and the system lets this process use them, which it has to be
/// asked for.
bool obtainsTiles() {
#if defined(__linux__)
  constexpr unsigned kBfloat16 = 1u << 22, kTiles = 1u << 24;  // CPUID 7, EDX
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // of arch_prctl
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kBfloat16) == 0 || (d & kTiles) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

std::vector<const Kernels*> available() {
  std::vector<const Kernels*> tables{&baseline::kernels()};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    tables.push_back(&avx2::kernels());
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
      tables.push_back(&avx512::kernels());
      if (__builtin_cpu_supports("avx512bf16")) {
        tables.push_back(&avx512bf16::kernels());
        static const bool hasTiles = obtainsTiles();
        if (hasTiles) tables.push_back(&amx::kernels());
      }
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
  // Asked once: the environment may be written to while a network trains.
  static const Kernels& chosen = []() -> const Kernels& {
    const char* const asked = std::getenv("ESPALIER_INSTRUCTION_SET");
    if (asked != nullptr && *asked != '\0') return kernelsFor(asked);
    return *available().back();
  }();
  return chosen;
}

}  // namespace espalier::cpu
