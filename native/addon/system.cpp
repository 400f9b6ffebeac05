#include "addon/system.h"

#include "addon/convert.h"
#include "addon/errors.h"
#include "addon/output.h"
#include "addon/plan.h"
#include "base/memory.h"
#include "base/thread_pool.h"
#include "base/turns.h"
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

Napi::Value describeUsage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const MemoryCount& memory = memoryCount();
    const int64_t limit = memory.limit.load(std::memory_order_relaxed);
    const Turns::Load load = Turns::ofProcess().load();
    Napi::Object result = Napi::Object::New(env);
    result.Set("nativeBytes", count(env, memory.bytes.load(std::memory_order_relaxed)));
    result.Set("nativeBytesLimit", limit == 0 ? env.Null() : Napi::Value(count(env, limit)));
    result.Set("running", count(env, load.running));
    result.Set("waiting", count(env, load.waiting));
    return result;
  });
}

void setMemoryLimit(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    const Input bytes{info[0], "bytes"};
    const int64_t limit = bytes.isNull() ? 0 : bytes.integer(1, int64_t{1} << 53);
    memoryCount().limit.store(limit, std::memory_order_relaxed);
  });
}

Napi::Value chooseDeviceForJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const DeviceKind wanted = readDeviceKind({info[0], "device"});
    return Napi::String::New(info.Env(), nameOf(chooseDevice(wanted)));
  });
}

}  // namespace espalier::addon
