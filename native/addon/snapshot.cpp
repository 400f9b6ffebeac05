#include "addon/snapshot.h"

#include <type_traits>
#include <utility>

#include "addon/convert.h"
#include "addon/output.h"

namespace espalier::addon {
namespace {

constexpr int64_t kLargestCount = int64_t{1} << 53;

Napi::Value tensorToJs(Napi::Env env, Tensor&& tensor) {
  Napi::Object result = Napi::Object::New(env);
  Napi::Array shape = Napi::Array::New(env, tensor.shape.size());
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    shape.Set(static_cast<uint32_t>(i), count(env, tensor.shape[i]));
  }
  result.Set("name", tensor.name);
  result.Set("shape", shape);
  std::visit(
      [&]<typename T>(std::vector<T>&& data) {
        if constexpr (std::is_same_v<T, float>) {
          result.Set("data", moveToJs<Napi::Float32Array>(env, std::move(data)));
        } else if constexpr (std::is_same_v<T, int32_t>) {
          result.Set("data", moveToJs<Napi::Int32Array>(env, std::move(data)));
        } else {
          result.Set("data", moveToJs<Napi::BigInt64Array>(env, std::move(data)));
        }
      },
      std::move(tensor.data));
  return result;
}

const char* nameOf(Watched watched) {
  switch (watched) {
    case Watched::TrainLoss:
      return "trainLoss";
    case Watched::TrainAccuracy:
      return "trainAccuracy";
    case Watched::ValidationLoss:
      return "validationLoss";
    case Watched::ValidationAccuracy:
      break;
  }
  return "validationAccuracy";
}

Napi::Object bestToJs(Napi::Env env, const BestEpoch& best) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("watched", nameOf(best.watched));
  result.Set("epoch", count(env, best.epoch));
  result.Set("value", Napi::Number::New(env, best.value));
  return result;
}

Napi::Object progressToJs(Napi::Env env, const Progress& progress) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("epoch", count(env, progress.epoch));
  result.Set("stepInEpoch", count(env, progress.stepInEpoch));
  result.Set("step", count(env, progress.step));
  result.Set("rewirings", count(env, progress.rewirings));
  result.Set("updates", count(env, progress.updates));
  result.Set("lossSum", Napi::Number::New(env, progress.lossSum));
  result.Set("correct", count(env, progress.correct));
  result.Set("samplesSeen", count(env, progress.samplesSeen));
  result.Set("best", progress.best ? Napi::Value(bestToJs(env, *progress.best)) : env.Null());
  return result;
}

Progress readProgress(const Input& input) {
  const auto counter = [&](const char* key) { return input.at(key).integer(0, kLargestCount); };
  Progress progress;
  progress.epoch = counter("epoch");
  progress.stepInEpoch = counter("stepInEpoch");
  progress.step = counter("step");
  progress.rewirings = counter("rewirings");
  progress.updates = counter("updates");
  progress.lossSum = input.at("lossSum").number();
  progress.correct = counter("correct");
  progress.samplesSeen = counter("samplesSeen");
  const Input best = input.at("best");
  if (!best.isNull()) {
    progress.best = BestEpoch{readWatched(best.at("watched")), best.at("epoch").integer(1, kLargestCount),
                              best.at("value").number()};
  }
  return progress;
}

Napi::Object optimizerToJs(Napi::Env env, const Optimizer& optimizer) {
  Napi::Object result = Napi::Object::New(env);
  const char* const type = optimizer.kind == OptimizerKind::Sgd    ? "sgd"
                           : optimizer.kind == OptimizerKind::Adam ? "adam"
                                                                   : "adamw";
  result.Set("type", type);
  result.Set("learningRate", Napi::Number::New(env, optimizer.learningRate));
  result.Set("weightDecay", Napi::Number::New(env, optimizer.weightDecay));
  result.Set("l1", Napi::Number::New(env, optimizer.l1));
  result.Set("momentum", Napi::Number::New(env, optimizer.momentum));
  result.Set("nesterov", Napi::Boolean::New(env, optimizer.nesterov));
  result.Set("beta1", Napi::Number::New(env, optimizer.beta1));
  result.Set("beta2", Napi::Number::New(env, optimizer.beta2));
  result.Set("epsilon", Napi::Number::New(env, optimizer.epsilon));
  return result;
}

Tensor readTensor(const Input& input) {
  Tensor tensor;
  tensor.name = input.at("name").text();
  for (const Input& side : input.at("shape").items()) tensor.shape.push_back(side.integer(0, kLargestCount));
  const Input data{input.at("data").value(), "the data of tensor " + tensor.name};
  const auto copy = [](auto numbers) { return std::vector(numbers.begin(), numbers.end()); };
  const napi_typedarray_type type =
      data.value().IsTypedArray() ? data.value().As<Napi::TypedArray>().TypedArrayType() : napi_uint8_array;
  if (type == napi_float32_array) {
    tensor.data = copy(data.floats());
  } else if (type == napi_int32_array) {
    tensor.data = copy(data.int32s());
  } else if (type == napi_bigint64_array) {
    tensor.data = copy(data.int64s());
  } else {
    data.fail("a Float32Array, Int32Array or BigInt64Array");
  }
  return tensor;
}

}  // namespace

Napi::Array tensorsToJs(Napi::Env env, std::vector<Tensor>&& tensors) {
  Napi::Array result = Napi::Array::New(env, tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    result.Set(static_cast<uint32_t>(i), tensorToJs(env, std::move(tensors[i])));
  }
  return result;
}

Napi::Object snapshotToJs(Napi::Env env, Snapshot&& snapshot) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("tensors", tensorsToJs(env, std::move(snapshot.tensors)));
  result.Set("progress", progressToJs(env, snapshot.progress));
  result.Set("optimizer",
             snapshot.optimizer ? Napi::Value(optimizerToJs(env, *snapshot.optimizer)) : env.Null());
  return result;
}

Snapshot readSnapshot(const Input& input) {
  Snapshot snapshot;
  for (const Input& tensor : input.at("tensors").items()) snapshot.tensors.push_back(readTensor(tensor));
  snapshot.progress = readProgress(input.at("progress"));
  const Input optimizer = input.at("optimizer");
  if (!optimizer.isNull()) snapshot.optimizer = readOptimizer(optimizer);
  return snapshot;
}

}  // namespace espalier::addon
