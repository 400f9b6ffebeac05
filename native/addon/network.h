#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <vector>

#include "addon/worker.h"
#include "train/network.h"

namespace espalier::addon {

/// What can be told of a network at any time without stopping its training.
struct Facts {
  struct Layer {
    int64_t inputs = 0;
    int64_t outputs = 0;
    int64_t connections = 0;
    int64_t parameters = 0;
  };
  std::vector<Layer> layers;
  StateBytes bytes;
};

/// A network whose long calls run on a worker, shared by the JavaScript object and its jobs.
struct Session {
  explicit Session(const NetworkDescription& description);

  /// Takes the facts anew when the network is between two steps.
  void refresh();
  Facts facts();

  const NetworkDescription description;
  espalier::Network network;

 private:
  std::mutex mutex_;
  Facts facts_;
};

/// The NativeNetwork of ts/native/surface.ts.
class NetworkObject : public Napi::ObjectWrap<NetworkObject>, public Worker::Owner {
 public:
  static Napi::Function define(Napi::Env env);

  explicit NetworkObject(const Napi::CallbackInfo& info);
  ~NetworkObject() override;

 private:
  class FitJob;
  class EvaluateJob;
  class PredictJob;
  class SnapshotJob;

  void fit(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  Napi::Value predict(const Napi::CallbackInfo& info);
  Napi::Value snapshot(const Napi::CallbackInfo& info);
  void restore(const Napi::CallbackInfo& info);
  Napi::Value summary(const Napi::CallbackInfo& info);
  Napi::Value memory(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  void interrupt() override;
  void busy() override { Ref(); }
  void idle() override { Unref(); }

  /// The session, or Error(State) after dispose().
  Session& session() const;
  void requireNotFitting() const;
  /// No call of any kind is under way.
  void requireIdle() const;
  /// Tells the garbage collector of the native memory behind this object.
  void accountFor(int64_t bytes);

  std::shared_ptr<Session> session_;
  std::unique_ptr<Worker> worker_;
  /// From fit() until the delivery of its end.
  bool fitting_ = false;
  int64_t accounted_ = 0;
};

}  // namespace espalier::addon
