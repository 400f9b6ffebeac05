#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <mutex>

namespace espalier::cuda {

/// A stream that does not wait for the default one.
class Stream {
 public:
  Stream();
  cudaStream_t get() const { return stream_.get(); }
  /// Waits for everything that was queued.
  void synchronize() const;

 private:
  struct Deleter {
    using pointer = cudaStream_t;
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
  };
  std::unique_ptr<cudaStream_t, Deleter> stream_;
};

/// A point in a stream.
class Event {
 public:
  Event();
  void record(const Stream& stream);
  /// Blocks the host until the stream has come to the last record(); at once where there was none.
  void synchronize() const;
  bool passed() const;
  /// Lets everything queued later on `stream` wait for the last record().
  void holdBack(const Stream& stream) const;
  /// Milliseconds from `begin` to this one; both must have passed.
  float millisecondsSince(const Event& begin) const;

 private:
  struct Deleter {
    using pointer = cudaEvent_t;
    void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
  };
  std::unique_ptr<cudaEvent_t, Deleter> event_;
};

/// A turn at what must not happen while any thread captures a graph, or at capturing one. Whatever waits for
/// the whole card spoils every capture that is under way, and libraries do so as they start and end.
std::unique_lock<std::mutex> captureTurn();

/// A captured sequence of kernels.
class Graph {
 public:
  /// Queues nothing: runs `work`, which queues on the stream, and keeps what it queued. `work` takes no
  /// captureTurn().
  template <typename Work>
  Graph(const Stream& stream, const Work& work) {
    const std::unique_lock<std::mutex> turn = captureTurn();
    beginCapture(stream);
    try {
      work();
    } catch (...) {
      abandonCapture(stream);
      throw;
    }
    endCapture(stream);
  }
  void launch(const Stream& stream) const;

 private:
  static void beginCapture(const Stream& stream);
  static void abandonCapture(const Stream& stream) noexcept;
  void endCapture(const Stream& stream);

  struct Deleter {
    using pointer = cudaGraphExec_t;
    void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
  };
  std::unique_ptr<cudaGraphExec_t, Deleter> graph_;
};

}  // namespace espalier::cuda
