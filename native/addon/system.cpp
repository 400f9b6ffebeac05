#include "addon/system.h"

#include "addon/convert.h"
#include "addon/errors.h"
#include "addon/output.h"
#include "addon/plan.h"
#include "base/thread_pool.h"
#include "device/cpu/instruction_set.h"
#include "device/cuda_library.h"

namespace espalier::addon {
namespace {

const char* compilerName() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#else
  return "unknown";
#endif
}

}  // namespace

Napi::Value describeSystem(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    Napi::Array sets = Napi::Array::New(env);
    for (const std::string& name : cpu::instructionSets()) sets.Set(sets.Length(), name);
    Napi::Object result = Napi::Object::New(env);
    result.Set("instructionSets", sets);
    result.Set("instructionSet", cpu::defaultKernels().name);
    result.Set("hardwareThreads", count(env, hardwareThreads()));
    result.Set("compiler", compilerName());
    return result;
  });
}

Napi::Value describeCuda(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const cuda::Status status = cudaStatus();
    Napi::Object result = Napi::Object::New(env);
    result.Set("usable", Napi::Boolean::New(env, status.usable));
    result.Set("reason", status.reason);
    result.Set("card", status.card);
    result.Set("capability", count(env, status.capability));
    result.Set("memoryBytes", count(env, status.memoryBytes));
    result.Set("freeBytes", count(env, status.freeBytes));
    result.Set("multiprocessors", count(env, status.multiprocessors));
    result.Set("driver", count(env, status.driver));
    result.Set("runtime", count(env, status.runtime));
    result.Set("real", Napi::Boolean::New(env, status.real));
    return result;
  });
}

Napi::Value chooseDeviceForJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const DeviceKind wanted = readDeviceKind({info[0], "device"});
    return Napi::String::New(info.Env(), nameOf(chooseDevice(wanted)));
  });
}

}  // namespace espalier::addon
