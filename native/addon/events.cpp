#include "addon/events.h"

#include "addon/output.h"

namespace espalier::addon {
namespace {

Napi::Number number(Napi::Env env, double value) {
  return Napi::Number::New(env, value);
}

Napi::Object event(Napi::Env env, const char* type) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("type", type);
  return result;
}

const char* reasonOf(FitEnd end) {
  switch (end) {
    case FitEnd::Cancelled:
      return "cancelled";
    case FitEnd::MaxSteps:
      return "maxSteps";
    case FitEnd::MaxSeconds:
      return "maxSeconds";
    case FitEnd::EarlyStopping:
      return "earlyStopping";
    case FitEnd::Finished:
      break;
  }
  return "finished";
}

}  // namespace

Napi::Object metricsToJs(Napi::Env env, const Metrics& metrics) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("loss", number(env, metrics.loss));
  result.Set("accuracy", metrics.accuracy ? Napi::Value(number(env, *metrics.accuracy)) : env.Null());
  return result;
}

Napi::Object eventToJs(Napi::Env env, const ProgressEvent& progress) {
  Napi::Object result = event(env, "progress");
  result.Set("epoch", count(env, progress.epoch));
  result.Set("step", count(env, progress.step));
  result.Set("stepsPerEpoch", count(env, progress.stepsPerEpoch));
  result.Set("loss", number(env, progress.loss));
  return result;
}

Napi::Object eventToJs(Napi::Env env, const EpochEvent& epoch) {
  Napi::Object result = event(env, "epoch");
  result.Set("epoch", count(env, epoch.epoch));
  result.Set("step", count(env, epoch.step));
  result.Set("train", metricsToJs(env, epoch.train));
  result.Set("validation", epoch.validation ? Napi::Value(metricsToJs(env, *epoch.validation)) : env.Null());
  result.Set("learningRate", number(env, epoch.learningRate));
  result.Set("seconds", number(env, epoch.seconds));
  result.Set("samplesPerSecond", number(env, epoch.samplesPerSecond));
  result.Set("rewireSeconds", number(env, epoch.rewireSeconds));
  return result;
}

Napi::Object eventToJs(Napi::Env env, const RewireEvent& rewire) {
  Napi::Object result = event(env, "rewire");
  result.Set("epoch", count(env, rewire.epoch));
  result.Set("step", count(env, rewire.step));
  result.Set("fraction", number(env, rewire.fraction));
  Napi::Array layers = Napi::Array::New(env, rewire.layers.size());
  for (size_t i = 0; i < rewire.layers.size(); ++i) {
    Napi::Object layer = Napi::Object::New(env);
    const RewiredLayer& rewired = rewire.layers[i];
    layer.Set("layer", count(env, rewired.moves.layer));
    layer.Set("moved", count(env, rewired.moves.moved));
    layer.Set("returned", count(env, rewired.moves.returned));
    layer.Set("connections", count(env, rewired.connections));
    layer.Set("removedNeurons", count(env, rewired.removedNeurons));
    layer.Set("exploration", optionalNumber(env, rewired.exploration));
    layers.Set(static_cast<uint32_t>(i), layer);
  }
  result.Set("layers", layers);
  return result;
}

Napi::Object signToJs(Napi::Env env, const char* type) {
  return event(env, type);
}

Napi::Object endToJs(Napi::Env env, bool begun, const FitResult& fit, const Failure* failure) {
  Napi::Object result = event(env, "end");
  result.Set("reason", failure != nullptr ? "failed" : reasonOf(fit.end));
  if (failure == nullptr) {
    result.Set("error", env.Null());
  } else {
    Napi::Object error = Napi::Object::New(env);
    error.Set("code", failure->code);
    error.Set("message", failure->message);
    result.Set("error", error);
  }
  result.Set("begun", Napi::Boolean::New(env, begun));
  result.Set("epochs", count(env, fit.epochs));
  result.Set("steps", count(env, fit.steps));
  result.Set("rewirings", count(env, fit.rewirings));
  return result;
}

}  // namespace espalier::addon
