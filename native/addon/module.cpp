#include <napi.h>

#include "addon/instance.h"
#include "addon/kernels.h"
#include "addon/network.h"
#include "addon/system.h"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new espalier::addon::Instance());
  exports.Set("system", Napi::Function::New(env, espalier::addon::describeSystem, "system"));
  exports.Set("cuda", Napi::Function::New(env, espalier::addon::describeCuda, "cuda"));
  exports.Set("usage", Napi::Function::New(env, espalier::addon::describeUsage, "usage"));
  exports.Set("setMemoryLimit", Napi::Function::New(env, espalier::addon::setMemoryLimit, "setMemoryLimit"));
  exports.Set("chooseDevice", Napi::Function::New(env, espalier::addon::chooseDeviceForJs, "chooseDevice"));
  exports.Set("Network", espalier::addon::NetworkObject::define(env));
  exports.Set("kernels", espalier::addon::makeKernels(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(espalier, initialize)
