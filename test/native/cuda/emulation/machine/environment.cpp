#include "environment.h"

#include <cstdlib>
#include <string>

namespace espalier::emulation {
namespace {

std::string text(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

uint64_t number(const char* name, uint64_t otherwise) {
  const std::string value = text(name);
  return value.empty() ? otherwise : std::strtoull(value.c_str(), nullptr, 10);
}

Environment read() {
  Environment result;
  result.seed = number("ESPALIER_EMULATION_SEED", result.seed);
  result.memoryBytes = number("ESPALIER_EMULATION_MEMORY", result.memoryBytes);
  result.sharedBytesPerBlock = number("ESPALIER_EMULATION_SHARED_MEMORY", result.sharedBytesPerBlock);
  result.capability =
      static_cast<int>(number("ESPALIER_EMULATION_CAPABILITY", static_cast<uint64_t>(result.capability)));
  result.eager = text("ESPALIER_EMULATION_STREAMS") == "eager";
  const std::string failure = text("ESPALIER_EMULATION_FAIL");
  if (failure == "no-device") result.failure = Failure::NoDevice;
  if (failure == "old-driver") result.failure = Failure::OldDriver;
  if (failure == "libraries") result.failure = Failure::Libraries;
  if (failure == "cusparse") result.failure = Failure::Cusparse;
  if (failure.starts_with("lost")) {
    result.failure = Failure::Lost;
    if (failure.starts_with("lost:")) result.launchesLeft = std::strtoull(failure.c_str() + 5, nullptr, 10);
  }
  return result;
}

}  // namespace

const Environment& environment() {
  static const Environment environment = read();
  return environment;
}

}  // namespace espalier::emulation
