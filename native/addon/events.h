#pragma once

#include <napi.h>

#include "addon/errors.h"
#include "train/network.h"

namespace espalier::addon {

// The NativeEvents of ts/native/surface.ts.

Napi::Object metricsToJs(Napi::Env env, const Metrics& metrics);
Napi::Object eventToJs(Napi::Env env, const ProgressEvent& event);
Napi::Object eventToJs(Napi::Env env, const EpochEvent& event);
Napi::Object eventToJs(Napi::Env env, const RewireEvent& event);

/// An event without anything but its name.
Napi::Object signToJs(Napi::Env env, const char* type);
/// begun: whether the run came past every check. failure: null unless the run failed.
Napi::Object endToJs(Napi::Env env, bool begun, const FitResult& result, const Failure* failure);

}  // namespace espalier::addon
