#pragma once

#include <initializer_list>
#include <string>

namespace espalier::bench {

/// A shared library that is opened by the first of its names that the system finds, and never closed.
class SharedLibrary {
 public:
  /// Throws Error(Device) with the system's reason where none is found.
  explicit SharedLibrary(std::initializer_list<const char*> names);

  /// A function of the library or of what it depends on, or null.
  template <typename Function>
  Function find(const char* name) const {
    return reinterpret_cast<Function>(address(name));
  }

  /// The same; throws Error(Device) where there is none.
  template <typename Function>
  Function get(const char* name) const {
    const auto function = find<Function>(name);
    if (function == nullptr) failFor(name);
    return function;
  }

 private:
  void* address(const char* name) const;
  [[noreturn]] static void failFor(const char* name);

  void* handle_ = nullptr;
};

}  // namespace espalier::bench
