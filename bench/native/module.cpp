#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "device/cpu/instruction_set.h"
#include "openblas.h"
#include "products.h"
#include "steps.h"

// The benchmark's own addon: makes workloads that JavaScript times. It is no part of the package.
namespace espalier::bench {
namespace {

int64_t integer(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::Number>().Int64Value();
}

BlockShape blockOf(const Napi::Object& options) {
  const auto block = options.Get("block").As<Napi::Array>();
  return {block.Get(0u).As<Napi::Number>().Int32Value(), block.Get(1u).As<Napi::Number>().Int32Value()};
}

const OpenBlas& openBlas(Napi::Env env) {
  std::string why;
  const OpenBlas* const blas = OpenBlas::open(why);
  if (blas == nullptr) throw Napi::Error::New(env, why);
  return *blas;
}

/// A function that does the work once.
Napi::Value callable(Napi::Env env, std::unique_ptr<Workload> workload) {
  std::shared_ptr<Workload> shared = std::move(workload);
  return Napi::Function::New(env, [shared](const Napi::CallbackInfo&) { shared->run(); });
}

ProductShape productShape(const Napi::Object& options) {
  return {integer(options, "outputs"), integer(options, "inputs"), integer(options, "batch"),
          static_cast<int>(integer(options, "threads"))};
}

Product productOf(const Napi::Object& options) {
  const std::string name = options.Get("product").As<Napi::String>();
  if (name == "forward") return Product::Forward;
  if (name == "inputGradient") return Product::InputGradient;
  return Product::WeightGradient;
}

StepShape stepShape(const Napi::Object& options) {
  StepShape shape;
  const auto sizes = options.Get("sizes").As<Napi::Array>();
  for (uint32_t i = 0; i < sizes.Length(); ++i)
    shape.sizes.push_back(sizes.Get(i).As<Napi::Number>().Int64Value());
  shape.batch = integer(options, "batch");
  shape.threads = static_cast<int>(integer(options, "threads"));
  return shape;
}

/// Turns the core's errors into JavaScript's.
template <Napi::Value (*Function)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return Function(info);
  } catch (const Error& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

Napi::Value describeOpenBlas(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), openBlas(info.Env()).description());
}

Napi::Value makeDenseProduct(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  return callable(info.Env(), denseProduct(openBlas(info.Env()), productShape(options), productOf(options),
                                           options.Get("sliced").ToBoolean()));
}

Napi::Value makeSparseProduct(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  return callable(info.Env(),
                  sparseProduct(productShape(options), productOf(options),
                                options.Get("sparsity").As<Napi::Number>().DoubleValue(), blockOf(options)));
}

Napi::Value makeDenseStep(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  return callable(info.Env(),
                  denseStep(openBlas(info.Env()), stepShape(options), options.Get("sliced").ToBoolean()));
}

Napi::Value makeSparseStep(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  return callable(info.Env(),
                  sparseStep(stepShape(options), options.Get("sparsity").As<Napi::Number>().DoubleValue(),
                             blockOf(options)));
}

Napi::Value instructionSet(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), cpu::defaultKernels().name);
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("describeOpenBlas", Napi::Function::New(env, guarded<describeOpenBlas>));
  exports.Set("denseProduct", Napi::Function::New(env, guarded<makeDenseProduct>));
  exports.Set("sparseProduct", Napi::Function::New(env, guarded<makeSparseProduct>));
  exports.Set("denseStep", Napi::Function::New(env, guarded<makeDenseStep>));
  exports.Set("sparseStep", Napi::Function::New(env, guarded<makeSparseStep>));
  exports.Set("instructionSet", Napi::Function::New(env, guarded<instructionSet>));
  return exports;
}

}  // namespace
}  // namespace espalier::bench

static Napi::Object InitializeModule(Napi::Env env, Napi::Object exports) {
  return espalier::bench::initialize(env, exports);
}
NODE_API_MODULE(espalier_bench, InitializeModule)
