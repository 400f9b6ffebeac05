#pragma once

#include <napi.h>

#include <vector>

#include "addon/input.h"
#include "model/snapshot.h"

namespace espalier::addon {

/// A list of NativeTensor. The arrays are copies.
Napi::Array tensorsToJs(Napi::Env env, const std::vector<Tensor>& tensors);

/// NativeState of ts/native/surface.ts. The arrays are copies.
Napi::Object snapshotToJs(Napi::Env env, const Snapshot& snapshot);

/// Copies a NativeState out of JavaScript. What the tensors say is checked by putSnapshot.
Snapshot readSnapshot(const Input& input);

}  // namespace espalier::addon
