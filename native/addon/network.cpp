#include "addon/network.h"

#include <limits>
#include <utility>

#include "addon/convert.h"
#include "addon/data.h"
#include "addon/fit_job.h"
#include "addon/output.h"
#include "addon/plan.h"
#include "addon/promise_jobs.h"
#include "addon/snapshot.h"

namespace espalier::addon {
namespace {

const char* nameOf(LayerKind kind) {
  switch (kind) {
    case LayerKind::Sparse:
      return "sparse";
    case LayerKind::Dense:
      return "dense";
    case LayerKind::Dropout:
      return "dropout";
    case LayerKind::LayerNorm:
      break;
  }
  return "layerNorm";
}

std::shared_ptr<SampleStream> readStream(const Input& input, int64_t inputs, int64_t outputs,
                                         int64_t batchSize, int64_t firstSample) {
  SampleStream::Shape shape;
  shape.features = inputs;
  shape.outputs = outputs;
  shape.batchSize = batchSize;
  shape.samplesPerEpoch = input.at("samplesPerEpoch").integer(1, int64_t{1} << 40);
  shape.prefetch = input.at("prefetch").integer(1, 1 << 16);
  return std::make_shared<SampleStream>(shape, firstSample);
}

}  // namespace

Napi::Function NetworkObject::define(Napi::Env env) {
  return DefineClass(
      env, "Network",
      {InstanceMethod<&NetworkObject::fit>("fit"), InstanceMethod<&NetworkObject::cancel>("cancel"),
       InstanceMethod<&NetworkObject::feed>("feed"), InstanceMethod<&NetworkObject::pause>("pause"),
       InstanceMethod<&NetworkObject::resume>("resume"),
       InstanceMethod<&NetworkObject::takeCheckpoint>("takeCheckpoint"),
       InstanceMethod<&NetworkObject::evaluate>("evaluate"),
       InstanceMethod<&NetworkObject::predict>("predict"),
       InstanceMethod<&NetworkObject::gradients>("gradients"),
       InstanceMethod<&NetworkObject::snapshot>("snapshot"),
       InstanceMethod<&NetworkObject::restore>("restore"), InstanceMethod<&NetworkObject::summary>("summary"),
       InstanceMethod<&NetworkObject::memory>("memory"), InstanceMethod<&NetworkObject::plan>("plan"),
       InstanceMethod<&NetworkObject::dispose>("dispose")});
}

NetworkObject::NetworkObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    const Input blank{info[2], "blank"};
    session_ =
        std::make_shared<Session>(readDescription({info[0], ""}), readPlacement({info[1], "placement"}),
                                  !blank.isNull() && blank.boolean());
    worker_ = std::make_unique<Worker>(info.Env(), *this);
    account();
  });
}

NetworkObject::~NetworkObject() {
  accountFor(0);
}

void NetworkObject::account() {
  if (session_ == nullptr) return;
  const StateBytes state = session_->facts().bytes;
  const DeviceBytes device = worker_->pending() > 0 ? session_->network.deviceBytes() : DeviceBytes{};
  accountFor(state.parameters + state.pattern + state.optimizer + device.gradients + device.workspace);
}

void NetworkObject::accountFor(int64_t bytes) {
  if (bytes == accounted_) return;
  int64_t total = 0;
  napi_adjust_external_memory(Env(), bytes - accounted_, &total);
  accounted_ = bytes;
}

Session& NetworkObject::session() const {
  require(session_ != nullptr, ErrorCode::State, "this network was disposed of");
  return *session_;
}

void NetworkObject::requireNotFitting() const {
  require(!fitting_, ErrorCode::State, "the network is training; cancel that run or wait for its end");
}

void NetworkObject::requireIdle() const {
  requireNotFitting();
  require(
      worker_->pending() == 0, ErrorCode::State,
      "the network is in use by another call (evaluate, predict, gradients or snapshot); wait for its end");
}

void NetworkObject::interrupt() {
  if (session_ != nullptr) session_->network.cancel();
}

Napi::Value NetworkObject::fit(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    Session& target = session();
    requireIdle();
    const int64_t inputs = target.network.inputs(), outputs = target.network.outputs();
    const FitSettings settings = readFitSettings({info[2], ""});
    Progress from;
    if (settings.resume) target.network.inspect([&](const NetworkState& state) { from = state.progress; });
    const int64_t firstSample = checkedProduct(from.stepInEpoch, settings.batchSize);

    const Input train{info[0], "train"};
    FitJob::TrainingSamples samples;
    std::shared_ptr<SampleStream> stream;
    if (train.at("stream").isNull()) {
      samples = std::make_unique<Data>(train, inputs, outputs);
    } else {
      stream = readStream(train.at("stream"), inputs, outputs, settings.batchSize, firstSample);
      samples = stream;
    }
    const Input validationInput{info[1], "validation"};
    std::unique_ptr<Data> validation;
    if (!validationInput.isNull()) validation = std::make_unique<Data>(validationInput, inputs, outputs);
    if (!info[3].IsFunction()) Input{info[3], "onEvent"}.fail("a function");

    target.network.forgetRequests();
    worker_->enqueue(std::make_unique<FitJob>(*worker_, session_, std::move(samples), std::move(validation),
                                              settings, info[3].As<Napi::Function>(), [this] {
                                                fitting_ = false;
                                                stream_.reset();
                                              }));
    fitting_ = true;
    stream_ = std::move(stream);
    Napi::Object start = Napi::Object::New(env);
    start.Set("epoch", count(env, from.epoch));
    start.Set("sample", count(env, firstSample));
    return start;
  });
}

Napi::Value NetworkObject::feed(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Session& target = session();
    require(stream_ != nullptr, ErrorCode::State, "no run takes samples from a stream");
    const Samples samples =
        viewSamples({info[0], "chunk"}, target.network.inputs(), target.network.outputs());
    return count(info.Env(), stream_->put(samples));
  });
}

void NetworkObject::cancel(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { session().network.cancel(); });
}

void NetworkObject::pause(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { session().network.pause(); });
}

void NetworkObject::resume(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { session().network.resume(); });
}

Napi::Value NetworkObject::takeCheckpoint(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    std::optional<CheckpointQueue::Checkpoint> next = session().checkpoints.take();
    if (!next) return env.Null();
    Napi::Object result = Napi::Object::New(env);
    result.Set("newest", Napi::Boolean::New(env, next->newest));
    result.Set("best", Napi::Boolean::New(env, next->best));
    result.Set("state", snapshotToJs(env, std::move(next->snapshot)));
    return result;
  });
}

Napi::Value NetworkObject::evaluate(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Session& target = session();
    requireNotFitting();
    auto data =
        std::make_unique<Data>(Input{info[0], "data"}, target.network.inputs(), target.network.outputs());
    auto job = std::make_unique<EvaluateJob>(info.Env(), session_, std::move(data),
                                             Input{info[1], "threads"}.threads());
    const Napi::Promise promise = job->promise();
    worker_->enqueue(std::move(job));
    return promise;
  });
}

Napi::Value NetworkObject::predict(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Session& target = session();
    requireNotFitting();
    auto data =
        std::make_unique<Data>(Input{info[0], "data"}, target.network.inputs(), target.network.outputs());
    auto job = std::make_unique<PredictJob>(info.Env(), session_, std::move(data),
                                            Input{info[1], "threads"}.threads());
    const Napi::Promise promise = job->promise();
    worker_->enqueue(std::move(job));
    return promise;
  });
}

Napi::Value NetworkObject::gradients(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Session& target = session();
    requireNotFitting();
    auto data =
        std::make_unique<Data>(Input{info[0], "data"}, target.network.inputs(), target.network.outputs());
    auto job = std::make_unique<GradientsJob>(
        info.Env(), session_, std::move(data),
        Input{info[1], "batchSize"}.integer(1, std::numeric_limits<int32_t>::max()),
        Input{info[2], "threads"}.threads());
    const Napi::Promise promise = job->promise();
    worker_->enqueue(std::move(job));
    return promise;
  });
}

Napi::Value NetworkObject::snapshot(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Session& target = session();
    auto job = std::make_unique<SnapshotJob>(info.Env(), session_);
    const Napi::Promise promise = job->promise();
    if (!fitting_) {
      worker_->enqueue(std::move(job));
      return promise;
    }
    // The training thread takes it between two steps and sends it on. The function must be copyable, hence
    // shared.
    worker_->expect();
    const auto handed = std::make_shared<std::unique_ptr<Job>>(std::move(job));
    target.network.inspect([handed, worker = worker_.get()](const NetworkState& state) {
      static_cast<SnapshotJob&>(**handed).take(state);
      worker->post(std::move(*handed));
    });
    return promise;
  });
}

void NetworkObject::restore(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    Session& target = session();
    requireIdle();
    const Snapshot snapshot = readSnapshot({info[0], ""});
    target.network.modify([&](NetworkState& state) { putSnapshot(state, snapshot); });
    target.refresh();
    account();
  });
}

Napi::Value NetworkObject::summary(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const Facts facts = session().facts();
    Napi::Array layers = Napi::Array::New(env, facts.layers.size());
    for (size_t i = 0; i < facts.layers.size(); ++i) {
      const LayerDescription& description = session_->description.layers[i];
      const Facts::Layer& layer = facts.layers[i];
      const bool sparse = description.kind == LayerKind::Sparse;
      const double size = static_cast<double>(layer.inputs) * static_cast<double>(layer.outputs);
      Napi::Object result = Napi::Object::New(env);
      result.Set("type", nameOf(description.kind));
      result.Set("inputs", count(env, layer.inputs));
      result.Set("outputs", count(env, layer.outputs));
      result.Set("connections", count(env, layer.connections));
      result.Set("parameters", count(env, layer.parameters));
      result.Set("removedNeurons", count(env, layer.removedNeurons));
      result.Set("exploration", optionalNumber(env, layer.exploration));
      result.Set("sparsity",
                 Napi::Number::New(env, sparse ? 1 - static_cast<double>(layer.connections) / size : 0));
      if (sparse) {
        Napi::Array block = Napi::Array::New(env, 2);
        block.Set(0u, count(env, description.block.rows));
        block.Set(1u, count(env, description.block.columns));
        result.Set("block", block);
      } else {
        result.Set("block", env.Null());
      }
      layers.Set(static_cast<uint32_t>(i), result);
    }
    return layers;
  });
}

Napi::Value NetworkObject::memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const StateBytes state = session().facts().bytes;
    const DeviceBytes device = session().network.deviceBytes();
    Napi::Object result = Napi::Object::New(env);
    result.Set("parameters", count(env, state.parameters));
    result.Set("pattern", count(env, state.pattern));
    result.Set("optimizer", count(env, state.optimizer));
    result.Set("gradients", count(env, device.gradients));
    result.Set("workspace", count(env, device.workspace));
    return result;
  });
}

Napi::Value NetworkObject::plan(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value { return planToJs(env, session().network.plan()); });
}

void NetworkObject::dispose(const Napi::CallbackInfo&) {
  if (session_ == nullptr) return;
  worker_->stop({"ERR_ESPALIER_STATE", "this network was disposed of"});
  session_.reset();
  accountFor(0);
}

}  // namespace espalier::addon
