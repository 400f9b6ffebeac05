#include "base/caches.h"

#include <fstream>
#include <string>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace espalier {

#if defined(__APPLE__)

int64_t cacheBytes(int level, int64_t usual) {
  const std::string name = level == 1 ? "hw.l1dcachesize" : "hw.l" + std::to_string(level) + "cachesize";
  int64_t bytes = 0;
  size_t size = sizeof(bytes);
  return sysctlbyname(name.c_str(), &bytes, &size, nullptr, 0) == 0 && bytes > 0 ? bytes : usual;
}

#else

int64_t cacheBytes(int level, int64_t usual) {
  constexpr int64_t kKilobyte = 1024;
  for (int index = 0; index < 8; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    int found = 0;
    std::string type;
    int64_t kilobytes = 0;
    std::ifstream(folder + "level") >> found;
    std::ifstream(folder + "type") >> type;
    std::ifstream(folder + "size") >> kilobytes;
    if (found == level && type != "Instruction" && kilobytes > 0) return kilobytes * kKilobyte;
  }
  return usual;
}

#endif

}  // namespace espalier
