#pragma once

#include <napi.h>

namespace espalier::addon {

/// `kernels` of ts/native/surface.ts: the core's operations on typed arrays.
Napi::Object makeKernels(Napi::Env env);

}  // namespace espalier::addon
