#include "addon/worker.h"

#include <utility>

#include "base/error.h"

namespace espalier::addon {

Worker::Worker(Napi::Env env, Owner& owner) : env_(env), owner_(owner) {
  channel_ = Channel::New(env, "espalier", 0, 1, this);
  // An idle worker does not keep the process alive.
  channel_.Unref(env);
  // Hooks run in reverse order, so this one comes before the channel's own: the thread is gone when the
  // channel goes.
  napi_add_env_cleanup_hook(env_, &Worker::onExit, this);
}

Worker::~Worker() {
  if (!open_) return;
  napi_remove_env_cleanup_hook(env_, &Worker::onExit, this);
  owner_.interrupt();
  join();
  channel_.Abort();
}

void Worker::onExit(void* data) {
  auto* const worker = static_cast<Worker*>(data);
  {
    const std::lock_guard lock(worker->mutex_);
    worker->undelivered_.insert(worker->undelivered_.end(), std::make_move_iterator(worker->queue_.begin()),
                                std::make_move_iterator(worker->queue_.end()));
    worker->queue_.clear();
  }
  worker->owner_.interrupt();
  worker->join();
  worker->open_ = false;
}

void Worker::enqueue(std::unique_ptr<Job> job) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(job));
  if (!running_) {
    // The last thread may still be on its way out; it holds no lock and touches nothing any more.
    join();
    try {
      thread_ = std::thread(&Worker::work, this);
    } catch (const std::system_error& error) {
      queue_.pop_back();
      throw Error(ErrorCode::Memory, std::string("the system gives no thread: ") + error.what());
    }
    running_ = true;
  }
  expect();
}

void Worker::expect() {
  if (pending_++ > 0) return;
  channel_.Ref(env_);
  owner_.busy();
}

void Worker::stop(const Failure& reason) {
  std::deque<std::unique_ptr<Job>> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(queue_);
  }
  owner_.interrupt();
  join();
  for (std::unique_ptr<Job>& job : dropped) {
    job->failure = reason;
    post(std::move(job));
  }
}

void Worker::post(std::unique_ptr<Message> message) {
  Message* const released = message.release();
  if (channel_.NonBlockingCall(released) == napi_ok) return;
  const std::lock_guard lock(mutex_);
  undelivered_.emplace_back(released);
}

void Worker::work() {
  for (;;) {
    std::unique_ptr<Job> job;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) {
        running_ = false;
        return;
      }
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      job->run();
    } catch (...) {
      job->failure = describe(std::current_exception());
    }
    post(std::move(job));
  }
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::ended() {
  if (--pending_ > 0) return;
  channel_.Unref(env_);
  owner_.idle();
}

void Worker::onMessage(Napi::Env env, Napi::Function, Worker* worker, Message* message) {
  const std::unique_ptr<Message> held(message);
  // No environment: it is going down, and nothing can be told to it any more.
  if (static_cast<napi_env>(env) == nullptr) return;
  worker->owner_.arrived();
  if (auto* const job = dynamic_cast<Job*>(message)) {
    // First, so that a callback finds the object free for its next call. The worker may be gone after this.
    job->settle();
    worker->ended();
  }
  try {
    message->deliver(env);
  } catch (const Napi::Error& error) {
    // A callback of the user's threw: that is an uncaught exception of theirs, as from any event.
    napi_fatal_exception(env, error.Value());
  }
}

}  // namespace espalier::addon
