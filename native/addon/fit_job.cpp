#include "addon/fit_job.h"

#include <mutex>
#include <optional>
#include <utility>

#include "addon/events.h"

namespace espalier::addon {

/// Progress on its way to JavaScript: while it waits to be delivered, newer progress takes its place, so that
/// a busy event loop finds one event and not a queue of them.
class FitJob::LatestProgress {
 public:
  explicit LatestProgress(const ProgressEvent& event) : event_(event) {}

  /// False when it was delivered already.
  bool replace(const ProgressEvent& event) {
    const std::lock_guard lock(mutex_);
    if (event_) event_ = event;
    return event_.has_value();
  }
  ProgressEvent take() {
    const std::lock_guard lock(mutex_);
    return *std::exchange(event_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::optional<ProgressEvent> event_;
};

// Messages are queued before their job's end, so the job outlives them.

template <typename Event>
class FitJob::EventMessage final : public Message {
 public:
  EventMessage(FitJob& job, const Event& event) : job_(job), event_(event) {}
  void deliver(Napi::Env env) override { job_.onEvent_.Call({eventToJs(env, event_)}); }

 private:
  FitJob& job_;
  const Event event_;
};

class FitJob::ProgressMessage final : public Message {
 public:
  ProgressMessage(FitJob& job, std::shared_ptr<LatestProgress> latest)
      : job_(job), latest_(std::move(latest)) {}
  void deliver(Napi::Env env) override { job_.onEvent_.Call({eventToJs(env, latest_->take())}); }

 private:
  FitJob& job_;
  const std::shared_ptr<LatestProgress> latest_;
};

/// An event that is its name alone: "checkpoint", there is one to take; "room", the stream takes more
/// samples.
class FitJob::SignMessage final : public Message {
 public:
  SignMessage(FitJob& job, const char* type) : job_(job), type_(type) {}
  void deliver(Napi::Env env) override { job_.onEvent_.Call({signToJs(env, type_)}); }

 private:
  FitJob& job_;
  const char* const type_;
};

FitJob::FitJob(Worker& worker, std::shared_ptr<Session> session, TrainingSamples train,
               std::unique_ptr<Data> validation, const FitSettings& settings, Napi::Function onEvent,
               std::function<void()> onSettled)
    : worker_(worker),
      session_(std::move(session)),
      train_(std::move(train)),
      validation_(std::move(validation)),
      settings_(settings),
      onEvent_(Napi::Persistent(onEvent)),
      onSettled_(std::move(onSettled)) {
  if (const auto* const stream = std::get_if<std::shared_ptr<SampleStream>>(&train_)) {
    (*stream)->listen({[this] { session_->network.hear(); },
                       [this] { worker_.post(std::make_unique<SignMessage>(*this, "room")); }});
  }
}

FitListener FitJob::listener() {
  FitListener listener;
  listener.begin = [this](const NetworkState& state) {
    begun_ = true;
    session_->refresh(state);
  };
  listener.changed = [this](const NetworkState& state) { session_->refresh(state); };
  listener.progress = [this](const ProgressEvent& event) { tellProgress(event); };
  listener.epoch = [this](const EpochEvent& event) { tell(event); };
  listener.rewire = [this](const RewireEvent& event) { tell(event); };
  listener.wantsCheckpoint = [this] { return session_->checkpoints.wants(); };
  listener.checkpoint = [this](const NetworkState& state, bool newest, bool best) {
    layAside(state, newest, best);
  };
  return listener;
}

void FitJob::run() {
  taken_ = true;
  session_->checkpoints.clear();
  try {
    result_ = fit();
  } catch (...) {
    failure = describe(std::current_exception());
    session_->network.inspect([this](const NetworkState& state) {
      result_ = {{}, state.progress.epoch, state.progress.step, state.progress.rewirings};
    });
  }
  session_->refresh();
}

FitResult FitJob::fit() {
  const Samples* const validation = validation_ ? &validation_->samples() : nullptr;
  if (const auto* const stream = std::get_if<std::shared_ptr<SampleStream>>(&train_)) {
    return session_->network.fit(**stream, validation, settings_, listener());
  }
  return session_->network.fit(std::get<std::unique_ptr<Data>>(train_)->samples(), validation, settings_,
                               listener());
}

void FitJob::deliver(Napi::Env env) {
  // Disposed of before its turn came.
  if (!taken_) {
    failure.reset();
    result_.end = FitEnd::Cancelled;
  }
  onEvent_.Call({endToJs(env, begun_, result_, failure ? &*failure : nullptr)});
}

template <typename Event>
void FitJob::tell(const Event& event) {
  // Progress that comes after this event must be told after it.
  progress_.reset();
  worker_.post(std::make_unique<EventMessage<Event>>(*this, event));
}

void FitJob::tellProgress(const ProgressEvent& event) {
  if (progress_ != nullptr && progress_->replace(event)) return;
  progress_ = std::make_shared<LatestProgress>(event);
  worker_.post(std::make_unique<ProgressMessage>(*this, progress_));
}

void FitJob::layAside(const NetworkState& state, bool newest, bool best) {
  session_->checkpoints.put({takeSnapshot(state), newest, best});
  worker_.post(std::make_unique<SignMessage>(*this, "checkpoint"));
}

}  // namespace espalier::addon
