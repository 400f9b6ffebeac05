#pragma once

#include <napi.h>

namespace espalier::addon {

/// Adds the parts of the rewiring rules that work on typed arrays to the `kernels` of surface.ts.
void addRewireKernels(Napi::Env env, Napi::Object kernels);

}  // namespace espalier::addon
