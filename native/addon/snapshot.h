#pragma once

#include <napi.h>

#include <vector>

#include "addon/input.h"
#include "model/snapshot.h"

namespace espalier::addon {

/// A list of NativeTensor, which JavaScript then owns.
Napi::Array tensorsToJs(Napi::Env env, std::vector<Tensor>&& tensors);

/// NativeState of ts/native/surface.ts.
Napi::Object snapshotToJs(Napi::Env env, Snapshot&& snapshot);

/// Copies a NativeState out of JavaScript. What the tensors say is checked by putSnapshot.
Snapshot readSnapshot(const Input& input);

}  // namespace espalier::addon
