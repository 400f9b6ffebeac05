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

/// That a checkpoint waits to be taken.
Napi::Object checkpointToJs(Napi::Env env);
/// begun: whether the run came past every check. failure: null unless the run failed.
Napi::Object endToJs(Napi::Env env, bool begun, const FitResult& result, const Failure* failure);

}  // namespace espalier::addon
