#include "libraries.h"

#include <algorithm>

#include "base/error.h"
#include "device/cpu/instruction_set.h"

namespace espalier::bench {
namespace {

NamedLibrary tryToOpen(const char* name, std::unique_ptr<DenseLibrary> (*open)()) {
  try {
    return {name, open(), {}};
  } catch (const Error& error) {
    return {name, nullptr, error.what()};
  }
}

std::vector<NamedLibrary> openAll() {
  std::vector<NamedLibrary> all;
  all.push_back(tryToOpen("OpenBLAS", openOpenBlas));
  all.push_back(tryToOpen("BLIS", openBlis));
  all.push_back(tryToOpen("oneDNN", openOneDnn));
  return all;
}

}  // namespace

bool processorHasAvx512() {
  const std::vector<std::string> sets = cpu::instructionSets();
  return std::find(sets.begin(), sets.end(), "avx512") != sets.end();
}

const std::vector<NamedLibrary>& libraries() {
  static const std::vector<NamedLibrary> all = openAll();
  return all;
}

DenseLibrary& libraryNamed(const std::string& name) {
  std::string allowed;
  for (const NamedLibrary& each : libraries()) {
    if (each.name == name) {
      require(each.opened != nullptr, ErrorCode::Device, name + " cannot be opened: " + each.reason);
      return *each.opened;
    }
    allowed += (allowed.empty() ? "" : ", ") + each.name;
  }
  throw Error(ErrorCode::Option, "library: no \"" + name + "\"; allowed: " + allowed);
}

}  // namespace espalier::bench
