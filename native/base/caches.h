#pragma once

#include <cstdint>

namespace espalier {

/// Bytes of the first processor's data cache of a level; `usual` where the system does not tell.
int64_t cacheBytes(int level, int64_t usual);

}  // namespace espalier
