#pragma once

#include <napi.h>

namespace espalier::addon {

/// `kernels` of ts/native/surface.ts: the core's operations on typed arrays.
Napi::Object makeKernels(Napi::Env env);

/// `system()` of ts/native/surface.ts.
Napi::Value describeSystem(const Napi::CallbackInfo& info);

}  // namespace espalier::addon
