#pragma once

#include <napi.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "addon/data.h"
#include "addon/errors.h"
#include "addon/events.h"
#include "addon/output.h"
#include "addon/session.h"
#include "addon/snapshot.h"
#include "addon/worker.h"

namespace espalier::addon {

/// A job whose outcome settles a promise.
class PromiseJob : public Job {
 public:
  PromiseJob(Napi::Env env, std::shared_ptr<Session> session)
      : session_(std::move(session)), deferred_(env) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void deliver(Napi::Env env) override {
    if (failure) return deferred_.Reject(toJs(env, *failure).Value());
    // Memory for the outcome may be refused as well.
    try {
      deferred_.Resolve(outcome(env));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }

 protected:
  virtual Napi::Value outcome(Napi::Env env) = 0;
  Session& session() { return *session_; }

 private:
  const std::shared_ptr<Session> session_;
  const Napi::Promise::Deferred deferred_;
};

class EvaluateJob final : public PromiseJob {
 public:
  EvaluateJob(Napi::Env env, std::shared_ptr<Session> session, std::unique_ptr<Data> data, int threads)
      : PromiseJob(env, std::move(session)), data_(std::move(data)), threads_(threads) {}

  void run() override { metrics_ = session().network.evaluate(data_->samples(), threads_); }

 private:
  Napi::Value outcome(Napi::Env env) override { return metricsToJs(env, metrics_); }

  const std::unique_ptr<Data> data_;
  const int threads_;
  Metrics metrics_;
};

class PredictJob final : public PromiseJob {
 public:
  PredictJob(Napi::Env env, std::shared_ptr<Session> session, std::unique_ptr<Data> data, int threads)
      : PromiseJob(env, std::move(session)), data_(std::move(data)), threads_(threads) {}

  void run() override {
    const Samples& samples = data_->samples();
    outputs_.resize(static_cast<size_t>(checkedProduct(samples.count, session().network.outputs())));
    session().network.predict(samples, outputs_, threads_);
  }

 private:
  Napi::Value outcome(Napi::Env env) override {
    return moveToJs<Napi::Float32Array>(env, std::move(outputs_));
  }

  const std::unique_ptr<Data> data_;
  const int threads_;
  std::vector<float> outputs_;
};

class GradientsJob final : public PromiseJob {
 public:
  GradientsJob(Napi::Env env, std::shared_ptr<Session> session, std::unique_ptr<Data> data, int64_t batchSize,
               int threads)
      : PromiseJob(env, std::move(session)),
        data_(std::move(data)),
        batchSize_(batchSize),
        threads_(threads) {}

  void run() override { gradients_ = session().network.gradients(data_->samples(), batchSize_, threads_); }

 private:
  Napi::Value outcome(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("mean", tensorsToJs(env, std::move(gradients_.mean)));
    result.Set("magnitude", tensorsToJs(env, std::move(gradients_.magnitude)));
    return result;
  }

  const std::unique_ptr<Data> data_;
  const int64_t batchSize_;
  const int threads_;
  Gradients gradients_;
};

class SnapshotJob final : public PromiseJob {
 public:
  using PromiseJob::PromiseJob;

  void run() override {
    session().network.inspect([this](const NetworkState& state) { take(state); });
    if (error_) std::rethrow_exception(error_);
  }

  /// Nothing may be thrown through a training step.
  void take(const NetworkState& state) noexcept {
    try {
      snapshot_ = takeSnapshot(state);
    } catch (...) {
      error_ = std::current_exception();
      failure = describe(error_);
    }
  }

 private:
  Napi::Value outcome(Napi::Env env) override { return snapshotToJs(env, std::move(snapshot_)); }

  Snapshot snapshot_;
  std::exception_ptr error_;
};

}  // namespace espalier::addon
