#include "device/cuda_library.h"

#include <string>

#ifdef __linux__
#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#endif

namespace espalier {
namespace {

/// One of the two is set.
struct Opened {
  const cuda::Library* found = nullptr;
  std::string reason;
};

#ifdef __linux__

/// Where the library of this build lies: the folder of the addon that this code is linked into.
std::filesystem::path builtLibrary() {
  Dl_info place{};
  if (dladdr(reinterpret_cast<const void*>(&cudaLibrary), &place) == 0 || place.dli_fname == nullptr)
    return {};
  return std::filesystem::path(place.dli_fname).parent_path() / "espalier_cuda.so";
}

Opened open() {
  const char* const named = std::getenv("ESPALIER_CUDA_LIBRARY");
  const bool isNamed = named != nullptr && *named != '\0';
  const std::filesystem::path file = isNamed ? std::filesystem::path(named) : builtLibrary();
  std::error_code ignored;
  if (!isNamed) {
    if (!std::filesystem::exists(file, ignored)) {
      return {nullptr, "this build has no CUDA part; scripts/install-cuda-toolkit and npm run build make it"};
    }
    // cuBLAS and its like take 200 MB: not where there is no GPU for them.
    if (dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) == nullptr) {
      return {nullptr, "no NVIDIA driver is installed"};
    }
  }
  // A name without a slash would be looked for in the system's folders.
  void* const handle = dlopen(std::filesystem::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return {nullptr, dlerror()};
  const auto entry = reinterpret_cast<cuda::LibraryEntry>(dlsym(handle, cuda::kLibraryEntry));
  const cuda::Library* const library = entry == nullptr ? nullptr : entry();
  if (library == nullptr || library->version != cuda::kLibraryVersion) {
    dlclose(handle);
    return {nullptr, file.string() + " is of another build; build it again"};
  }
  library->countMemoryIn(memoryCount());
  return {library, ""};
}

#else

Opened open() {
  return {nullptr, "the CUDA part is for Linux"};
}

#endif

/// Opened once and never closed or destroyed: a network may live as long as the process, and a run while it
/// exits.
const Opened& opened() {
  static const Opened& result = *new Opened(open());
  return result;
}

}  // namespace

const cuda::Library* cudaLibrary() {
  return opened().found;
}

cuda::Status cudaStatus() {
  if (cudaLibrary() != nullptr) return cudaLibrary()->status();
  cuda::Status status;
  status.reason = opened().reason;
  return status;
}

}  // namespace espalier
