#include <napi.h>

#include "addon/instance.h"
#include "addon/kernels.h"
#include "addon/network.h"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new espalier::addon::Instance());
  exports.Set("system", Napi::Function::New(env, espalier::addon::describeSystem, "system"));
  exports.Set("Network", espalier::addon::NetworkObject::define(env));
  exports.Set("kernels", espalier::addon::makeKernels(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(espalier, initialize)
