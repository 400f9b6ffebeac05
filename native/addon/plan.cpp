#include "addon/plan.h"

#include "addon/output.h"

namespace espalier::addon {
namespace {

Napi::Object productToJs(Napi::Env env, const ProductPlan& product) {
  Napi::Array candidates = Napi::Array::New(env, product.candidates.size());
  for (size_t i = 0; i < product.candidates.size(); ++i) {
    Napi::Object candidate = Napi::Object::New(env);
    candidate.Set("name", product.candidates[i].name);
    candidate.Set("microseconds", Napi::Number::New(env, product.candidates[i].microseconds));
    candidates.Set(static_cast<uint32_t>(i), candidate);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("layer", count(env, product.layer));
  result.Set("product", product.product);
  result.Set("chosen", product.chosen);
  result.Set("candidates", candidates);
  return result;
}

}  // namespace

const char* nameOf(DeviceKind kind) {
  return kind == DeviceKind::Cuda ? "cuda" : "cpu";
}

Napi::Object planToJs(Napi::Env env, const NetworkPlan& plan) {
  Napi::Array products = Napi::Array::New(env, plan.products.size());
  for (size_t i = 0; i < plan.products.size(); ++i) {
    products.Set(static_cast<uint32_t>(i), productToJs(env, plan.products[i]));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("device", plan.device ? Napi::Value(Napi::String::New(env, nameOf(*plan.device))) : env.Null());
  result.Set("products", products);
  return result;
}

}  // namespace espalier::addon
