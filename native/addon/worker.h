#pragma once

#include <napi.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "addon/errors.h"

namespace espalier::addon {

/// Something to do on the JavaScript thread. Made on any thread, delivered and destroyed on the JavaScript
/// thread, so it may hold references to JavaScript values.
class Message {
 public:
  Message() = default;
  virtual ~Message() = default;
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  virtual void deliver(Napi::Env env) = 0;
};

/// A long call: its work is done on the worker's thread, and its delivery brings the outcome back.
class Job : public Message {
 public:
  /// On the worker's thread. An exception becomes the `failure` that deliver() finds.
  virtual void run() = 0;

  /// On the JavaScript thread, right before deliver(): the last moment at which the owner is sure to be
  /// there.
  virtual void settle() {}

  std::optional<Failure> failure;
};

/// Carries out the long calls of one object one after the other, on a thread of its own and not in libuv's
/// pool. The thread lives while there is work. All members are for the JavaScript thread except post().
class Worker {
 public:
  /// What the worker asks of the object that it serves.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// Asks the job that runs to end soon. On the JavaScript thread.
    virtual void interrupt() = 0;
    /// The first job was begun: the object must stay alive. / The last one was delivered.
    virtual void busy() = 0;
    virtual void idle() = 0;
    /// A message came, and is about to be delivered: what the owner is or holds may have changed.
    virtual void arrived() = 0;
  };

  Worker(Napi::Env env, Owner& owner);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Throws where no thread can be had.
  void enqueue(std::unique_ptr<Job> job);

  /// Counts a job that comes by post() on another way.
  void expect();

  /// Interrupts the job that runs, waits for it, and fails the ones that have not begun. Their outcomes are
  /// still delivered, from the event loop.
  void stop(const Failure& reason);

  /// Jobs that are not delivered yet.
  int64_t pending() const { return pending_; }

  /// From the worker's thread: has a message delivered. Messages keep their order.
  void post(std::unique_ptr<Message> message);

 private:
  static void onMessage(Napi::Env env, Napi::Function, Worker* worker, Message* message);
  static void onExit(void* worker);
  using Channel = Napi::TypedThreadSafeFunction<Worker, Message, &Worker::onMessage>;

  void work();
  void join();
  void ended();

  const napi_env env_;
  Owner& owner_;
  Channel channel_;
  /// False once the environment goes down and takes the channel with it.
  bool open_ = true;
  int64_t pending_ = 0;

  std::mutex mutex_;
  std::deque<std::unique_ptr<Job>> queue_;
  /// What could not be posted any more; destroyed with the worker, on the JavaScript thread.
  std::deque<std::unique_ptr<Message>> undelivered_;
  bool running_ = false;
  std::thread thread_;
};

}  // namespace espalier::addon
