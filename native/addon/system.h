#pragma once

#include <napi.h>

namespace espalier::addon {

/// `system()` of ts/native/surface.ts.
Napi::Value describeSystem(const Napi::CallbackInfo& info);

/// `cuda()`: what the CUDA library finds. Asked for apart, since the first look at a card takes a while.
Napi::Value describeCuda(const Napi::CallbackInfo& info);

/// `usage()`.
Napi::Value describeUsage(const Napi::CallbackInfo& info);

/// `setMemoryLimit()`.
void setMemoryLimit(const Napi::CallbackInfo& info);

/// `chooseDevice()`.
Napi::Value chooseDeviceForJs(const Napi::CallbackInfo& info);

}  // namespace espalier::addon
