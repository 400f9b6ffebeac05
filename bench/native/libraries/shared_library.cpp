#include "shared_library.h"

#include <dlfcn.h>

#include "base/error.h"

namespace espalier::bench {

SharedLibrary::SharedLibrary(std::initializer_list<const char*> names) {
  std::string first;
  for (const char* name : names) {
    handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) return;
    const char* const reason = dlerror();
    if (first.empty() && reason != nullptr) first = reason;
  }
  throw Error(ErrorCode::Device, first);
}

void* SharedLibrary::address(const char* name) const {
  return dlsym(handle_, name);
}

void SharedLibrary::failFor(const char* name) {
  throw Error(ErrorCode::Device, std::string("the library has no ") + name);
}

}  // namespace espalier::bench
