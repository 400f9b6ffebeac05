#pragma once

#include <napi.h>

#include "train/network.h"

namespace espalier::addon {

/// 'cpu' or 'cuda'. kind: one that was chosen, not Auto.
const char* nameOf(DeviceKind kind);

/// NativePlan of ts/native/surface.ts.
Napi::Object planToJs(Napi::Env env, const NetworkPlan& plan);

}  // namespace espalier::addon
