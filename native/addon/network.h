#pragma once

#include <napi.h>

#include <memory>

#include "addon/session.h"
#include "addon/worker.h"
#include "train/sample_stream.h"

namespace espalier::addon {

/// The NativeNetwork of ts/native/surface.ts.
class NetworkObject : public Napi::ObjectWrap<NetworkObject>, public Worker::Owner {
 public:
  static Napi::Function define(Napi::Env env);

  explicit NetworkObject(const Napi::CallbackInfo& info);
  ~NetworkObject() override;

 private:
  Napi::Value fit(const Napi::CallbackInfo& info);
  Napi::Value feed(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  void pause(const Napi::CallbackInfo& info);
  void resume(const Napi::CallbackInfo& info);
  Napi::Value takeCheckpoint(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  Napi::Value predict(const Napi::CallbackInfo& info);
  Napi::Value gradients(const Napi::CallbackInfo& info);
  Napi::Value snapshot(const Napi::CallbackInfo& info);
  void restore(const Napi::CallbackInfo& info);
  Napi::Value summary(const Napi::CallbackInfo& info);
  Napi::Value memory(const Napi::CallbackInfo& info);
  Napi::Value plan(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  void interrupt() override;
  void busy() override { Ref(); }
  void idle() override {
    account();
    Unref();
  }
  void arrived() override { account(); }

  /// The session, or Error(State) after dispose().
  Session& session() const;
  void requireNotFitting() const;
  /// No call of any kind is under way.
  void requireIdle() const;
  /// Tells the garbage collector of the native memory behind this object, as it is now: the state, and while
  /// a call is under way what its device holds.
  void account();
  void accountFor(int64_t bytes);

  std::shared_ptr<Session> session_;
  std::unique_ptr<Worker> worker_;
  /// From fit() until the delivery of its end; and what it takes its samples from, if that is a stream.
  bool fitting_ = false;
  std::shared_ptr<SampleStream> stream_;
  int64_t accounted_ = 0;
};

}  // namespace espalier::addon
