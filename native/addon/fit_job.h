#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <variant>

#include "addon/data.h"
#include "addon/session.h"
#include "addon/worker.h"
#include "train/sample_stream.h"
#include "train/settings.h"

namespace espalier::addon {

/// A run of training. Its events are messages of their own; its delivery is the 'end' event.
class FitJob final : public Job {
 public:
  /// Samples that are all there, or that feed() brings.
  using TrainingSamples = std::variant<std::unique_ptr<Data>, std::shared_ptr<SampleStream>>;

  /// onSettled: called on the JavaScript thread right before the 'end' event.
  FitJob(Worker& worker, std::shared_ptr<Session> session, TrainingSamples train,
         std::unique_ptr<Data> validation, const FitSettings& settings, Napi::Function onEvent,
         std::function<void()> onSettled);

  void run() override;
  void settle() override { onSettled_(); }
  void deliver(Napi::Env env) override;

 private:
  class LatestProgress;
  template <typename Event>
  class EventMessage;
  class ProgressMessage;
  class SignMessage;

  FitListener listener();
  FitResult fit();
  template <typename Event>
  void tell(const Event& event);
  void tellProgress(const ProgressEvent& event);
  void layAside(const NetworkState& state, bool newest, bool best);

  Worker& worker_;
  const std::shared_ptr<Session> session_;
  const TrainingSamples train_;
  const std::unique_ptr<Data> validation_;
  const FitSettings settings_;
  Napi::FunctionReference onEvent_;
  const std::function<void()> onSettled_;
  FitResult result_;
  /// By the worker; and then past every check, so that the network has changed.
  bool taken_ = false;
  bool begun_ = false;
  /// Of the message that was posted last, while nothing came after it.
  std::shared_ptr<LatestProgress> progress_;
};

}  // namespace espalier::addon
