#include <napi.h>

#include <exception>
#include <memory>

#include "ceilings.h"
#include "device/cpu/instruction_set.h"
#include "handover.h"
#include "inference.h"
#include "libraries/libraries.h"
#include "options.h"
#include "pace.h"
#include "processors.h"
#include "products.h"
#include "rewiring.h"
#include "training.h"

// The benchmark's own addon: makes workloads that JavaScript times. It is no part of the package. What each
// function takes and returns: bench/addon.ts.
namespace espalier::bench {
namespace {

/// Turns what the core throws into an error of JavaScript.
template <typename Work>
Napi::Value guarded(Napi::Env env, const Work& work) {
  try {
    return work();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
}

/// A function of JavaScript that does the work once.
Napi::Value callable(Napi::Env env, std::unique_ptr<Workload> workload) {
  return Napi::Function::New(
      env, [shared = std::shared_ptr<Workload>(std::move(workload))](const Napi::CallbackInfo& info) {
        guarded(info.Env(), [&] {
          shared->run();
          return Napi::Value();
        });
      });
}

using Maker = std::unique_ptr<Workload> (*)(const Options&);

template <Maker make>
Napi::Value made(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Options options(info);
    return callable(info.Env(), onProcessors(options.threads(), make(options)));
  });
}

std::unique_ptr<Workload> makeDenseProduct(const Options& options) {
  return denseProduct(options.dense(), options.product());
}

std::unique_ptr<Workload> makeSparseProduct(const Options& options) {
  return sparseProduct(options.product(), options.sparse());
}

std::unique_ptr<Workload> makeSparseBackward(const Options& options) {
  return sparseBackward(options.layer(), options.sparse());
}

std::unique_ptr<Workload> makeDenseStep(const Options& options) {
  const NetworkShape shape = options.network();
  return trainingStep(denseNetwork(options.dense(), shape, options.mask()), shape);
}

std::unique_ptr<Workload> makeSparseStep(const Options& options) {
  const NetworkShape shape = options.network();
  return trainingStep(sparseNetwork(shape, options.sparse(), options.precision()), shape);
}

std::unique_ptr<Workload> makeDenseEpoch(const Options& options) {
  const NetworkShape shape = options.network();
  const int64_t samples = options.samples(shape);
  return trainingEpoch(denseNetwork(options.dense(), shape, options.mask()), shape, samples);
}

std::unique_ptr<Workload> makeSparseEpoch(const Options& options) {
  const NetworkShape shape = options.network();
  const int64_t samples = options.samples(shape);
  return trainingEpoch(sparseNetwork(shape, options.sparse(), options.precision()), shape, samples);
}

std::unique_ptr<Workload> makeRewiring(const Options& options) {
  return rewiring(options.network(), options.sparse(), options.rule());
}

std::unique_ptr<Workload> makeDenseInference(const Options& options) {
  return denseInference(options.dense(), options.network());
}

std::unique_ptr<Workload> makeSparseInference(const Options& options) {
  return sparseInference(options.network(), options.sparse(), options.precision());
}

Napi::Value instructionSet(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::String::New(info.Env(), cpu::defaultKernels().name); });
}

Napi::Value externalMemory(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(),
                           static_cast<double>(Napi::MemoryManagement::AdjustExternalMemory(info.Env(), 0)));
}

Napi::Value listLibraries(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto found = Napi::Array::New(env), missing = Napi::Array::New(env);
  for (const NamedLibrary& each : libraries()) {
    const auto entry = Napi::Object::New(env);
    entry.Set("name", each.name);
    if (each.opened != nullptr) {
      entry.Set("description", each.opened->description());
      found.Set(found.Length(), entry);
    } else {
      entry.Set("reason", each.reason);
      missing.Set(missing.Length(), entry);
    }
  }
  const auto result = Napi::Object::New(env);
  result.Set("found", found);
  result.Set("missing", missing);
  return result;
}

Napi::Value bind(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const int64_t count = wholeNumber(info[0], "count", kLargestThreads);
    return Napi::Boolean::New(info.Env(), bindToProcessors(static_cast<int>(count)));
  });
}

Napi::Value handover(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const int64_t threads = wholeNumber(info[0], "threads", kLargestThreads);
    return Napi::Number::New(info.Env(), handoverNanoseconds(static_cast<int>(threads)));
  });
}

Napi::Value pace(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const int64_t threads = wholeNumber(info[0], "threads", kLargestThreads);
    return Napi::Number::New(info.Env(), paceGBs(static_cast<int>(threads)));
  });
}

Napi::Value ceilingsOf(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const int64_t threads = wholeNumber(info[0], "threads", kLargestThreads);
    const Ceilings ceilings = measureCeilings(static_cast<int>(threads));
    const auto result = Napi::Object::New(info.Env());
    result.Set("fmaGflops", ceilings.fmaGflops);
    result.Set("firstLevelGBs", ceilings.firstLevelGBs);
    result.Set("secondLevelGBs", ceilings.secondLevelGBs);
    if (ceilings.thirdLevelGBs) result.Set("thirdLevelGBs", *ceilings.thirdLevelGBs);
    result.Set("memoryGBs", ceilings.memoryGBs);
    return result;
  });
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("instructionSet", instructionSet);
  add("externalMemory", externalMemory);
  add("libraries", listLibraries);
  add("bindToProcessors", bind);
  add("ceilings", ceilingsOf);
  add("handover", handover);
  add("pace", pace);
  add("denseProduct", made<makeDenseProduct>);
  add("sparseProduct", made<makeSparseProduct>);
  add("sparseBackward", made<makeSparseBackward>);
  add("denseStep", made<makeDenseStep>);
  add("sparseStep", made<makeSparseStep>);
  add("denseEpoch", made<makeDenseEpoch>);
  add("sparseEpoch", made<makeSparseEpoch>);
  add("rewiring", made<makeRewiring>);
  add("denseInference", made<makeDenseInference>);
  add("sparseInference", made<makeSparseInference>);
  return exports;
}

}  // namespace
}  // namespace espalier::bench

static Napi::Object InitializeModule(Napi::Env env, Napi::Object exports) {
  return espalier::bench::initialize(env, exports);
}
NODE_API_MODULE(espalier_bench, InitializeModule)
