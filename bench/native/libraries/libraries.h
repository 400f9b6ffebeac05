#pragma once

#include <memory>
#include <string>
#include <vector>

#include "library.h"

namespace espalier::bench {

/// Each tells its library to use the best kernels that the processor has, unless the environment says
/// otherwise, and opens it. Throws Error(Device) with the reason where it cannot.
std::unique_ptr<DenseLibrary> openOpenBlas();
std::unique_ptr<DenseLibrary> openBlis();
std::unique_ptr<DenseLibrary> openOneDnn();

/// Whether the processor has the AVX-512 that the project's own kernels use.
bool processorHasAvx512();

/// A library that was looked for.
struct NamedLibrary {
  std::string name;
  /// Null where it could not be opened.
  std::unique_ptr<DenseLibrary> opened;
  /// Why it could not be opened.
  std::string reason;
};

/// Every library that there may be; the first call opens them.
const std::vector<NamedLibrary>& libraries();

/// One of them by name. Throws Error(Option) for a name that is none, Error(Device) where it is missing.
DenseLibrary& libraryNamed(const std::string& name);

}  // namespace espalier::bench
