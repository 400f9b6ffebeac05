#include "symbols.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>

namespace espalier::emulation {
namespace {

/// Where the file that this code is in was loaded from, and to.
struct Module {
  std::string path;
  uintptr_t base = 0;
};

int takeOwnModule(dl_phdr_info* info, size_t, void* result) {
  const auto here = reinterpret_cast<uintptr_t>(&takeOwnModule);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || here < begin || here >= begin + segment.p_memsz) continue;
    const bool program = info->dlpi_name == nullptr || info->dlpi_name[0] == '\0';
    *static_cast<Module*>(result) = {program ? "/proc/self/exe" : info->dlpi_name, info->dlpi_addr};
    return 1;
  }
  return 0;
}

template <typename T>
std::vector<T> readArray(std::ifstream& file, uint64_t offset, uint64_t bytes) {
  std::vector<T> result(bytes / sizeof(T));
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(result.data()), static_cast<std::streamsize>(result.size() * sizeof(T)));
  if (!file) result.clear();
  return result;
}

class Symbols {
 public:
  Symbols() {
    Module module;
    dl_iterate_phdr(&takeOwnModule, &module);
    std::ifstream file(module.path, std::ios::binary);
    const auto header = readArray<ElfW(Ehdr)>(file, 0, sizeof(ElfW(Ehdr)));
    if (header.empty() || std::memcmp(header[0].e_ident, ELFMAG, SELFMAG) != 0) return;
    const auto sections =
        readArray<ElfW(Shdr)>(file, header[0].e_shoff, uint64_t{header[0].e_shnum} * sizeof(ElfW(Shdr)));
    for (const auto& section : sections) {
      if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
      const auto& texts = sections[section.sh_link];
      std::vector<char> names = readArray<char>(file, texts.sh_offset, texts.sh_size);
      names.push_back('\0');
      for (const auto& symbol : readArray<ElfW(Sym)>(file, section.sh_offset, section.sh_size)) {
        if (symbol.st_name >= names.size() || symbol.st_shndx >= sections.size()) continue;
        take(symbol, names.data() + symbol.st_name, sections[symbol.st_shndx], module.base);
      }
    }
  }

  const std::vector<Variable>& shared() const { return shared_; }

  std::string nameOf(const void* function) const {
    const auto found = functions_.find(reinterpret_cast<uintptr_t>(function));
    if (found == functions_.end()) {
      char address[32];
      std::snprintf(address, sizeof(address), "%p", function);
      return address;
    }
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(found->second.c_str(), nullptr, nullptr, nullptr), std::free);
    return name == nullptr ? found->second : name.get();
  }

 private:
  void take(const ElfW(Sym) & symbol, const char* name, const ElfW(Shdr) & section, uintptr_t base) {
    const auto type = symbol.st_info & 0xF;
    const uintptr_t address = base + symbol.st_value;
    if (type == STT_FUNC && std::strncmp(name, "_ZN8espalier4cuda", 17) == 0)
      functions_.emplace(address, name);
    if (type == STT_OBJECT && section.sh_type == SHT_NOBITS && (section.sh_flags & SHF_TLS) == 0 &&
        std::strncmp(name, "_ZZN8espalier4cuda", 18) == 0 &&
        std::strncmp(name, "_ZZN8espalier4cuda4test", 23) != 0) {
      shared_.push_back({reinterpret_cast<std::byte*>(address), symbol.st_size});
    }
  }

  std::vector<Variable> shared_;
  std::map<uintptr_t, std::string> functions_;
};

const Symbols& symbols() {
  static const Symbols symbols;
  return symbols;
}

}  // namespace

const std::vector<Variable>& sharedVariables() {
  return symbols().shared();
}

std::string kernelName(const void* kernel) {
  return symbols().nameOf(kernel);
}

}  // namespace espalier::emulation
