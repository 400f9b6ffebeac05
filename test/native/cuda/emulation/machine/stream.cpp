#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "environment.h"
#include "random.h"
#include "runtime.h"

using Work = std::function<void()>;

/// How often the whole card was waited for; spoils what is being captured meanwhile.
static std::atomic<uint64_t> cardWaits{0};

/// What is being captured; shared by the streams that have joined.
struct Capture {
  std::vector<Work> work;
  const uint64_t cardWaits = ::cardWaits;
  bool ended = false;
  bool invalid = false;
};

struct CUstream_st {
  std::deque<Work> queue;
  std::shared_ptr<Capture> capture;
  bool capturing() const { return capture != nullptr && !capture->ended; }
};

/// How far an event's records have come; outlives the event while work that waits for it is queued.
struct Records {
  uint64_t made = 0;
  uint64_t passed = 0;
  /// Of the last record.
  cudaStream_t stream = nullptr;
};

struct CUevent_st {
  std::shared_ptr<Records> records = std::make_shared<Records>();
  bool timed = true;
  /// Where it was recorded while capturing: a stream that waits for it joins.
  std::shared_ptr<Capture> capture;
};

struct CUgraph_st {
  std::vector<Work> work;
};

struct CUgraphExec_st {
  std::shared_ptr<const std::vector<Work>> work;
};

namespace espalier::emulation {
namespace {

/// Everything that waits to be done. A stream does its work when somebody waits for it or, by chance,
/// earlier: so whoever forgets to wait sees what was there before.
class Queues {
 public:
  static Queues& all() {
    static Queues queues;
    return queues;
  }

  /// Milliseconds between two events: any at all, so that whoever chooses by time chooses now this, now that.
  float someTime() { return 0.001f * static_cast<float>(1 + random_.below(1000)); }

  CUstream_st& streamOf(cudaStream_t stream) { return stream == nullptr ? none_ : *stream; }

  cudaStream_t make() {
    const std::lock_guard lock(mutex_);
    streams_.push_back(std::make_unique<CUstream_st>());
    return streams_.back().get();
  }

  void remove(cudaStream_t stream) {
    const std::lock_guard lock(mutex_);
    finish(stream);
    std::erase_if(streams_, [=](const auto& other) { return other.get() == stream; });
  }

  void add(cudaStream_t stream, Work work) {
    const std::lock_guard lock(mutex_);
    streamOf(stream).queue.push_back(std::move(work));
    if (environment().eager || random_.below(8) == 0) finish(stream);
  }

  void finish(cudaStream_t stream) {
    const std::lock_guard lock(mutex_);
    while (!streamOf(stream).queue.empty()) advance(stream);
  }

  void finishAll() {
    const std::lock_guard lock(mutex_);
    finish(nullptr);
    for (size_t i = 0; i < streams_.size(); ++i) finish(streams_[i].get());
  }

  /// Until this record has passed.
  void finish(const Records& records, uint64_t record) {
    const std::lock_guard lock(mutex_);
    while (records.passed < record) advance(records.stream);
  }

  /// Does the next piece of work, by chance; returns whether anything is left.
  bool poll(cudaStream_t stream) {
    const std::lock_guard lock(mutex_);
    CUstream_st& target = streamOf(stream);
    if (!target.queue.empty() && random_.below(2) == 0) advance(stream);
    return !target.queue.empty();
  }

  std::recursive_mutex& mutex() { return mutex_; }

 private:
  void advance(cudaStream_t stream) {
    CUstream_st& target = streamOf(stream);
    const Work work = std::move(target.queue.front());
    target.queue.pop_front();
    work();
  }

  std::recursive_mutex mutex_;
  CUstream_st none_;
  std::vector<std::unique_ptr<CUstream_st>> streams_;
  OrderRandom random_{environment().seed ^ 0x73747265616D73};
};

Queues& queues() {
  return Queues::all();
}

}  // namespace

cudaError_t enqueue(cudaStream_t stream, Work work) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  CUstream_st& target = queues().streamOf(stream);
  if (target.capturing()) {
    if (target.capture->invalid) return remember(cudaErrorStreamCaptureInvalidated);
    target.capture->work.push_back(std::move(work));
  } else {
    queues().add(stream, std::move(work));
  }
  return cudaSuccess;
}

void finishStream(cudaStream_t stream) {
  queues().finish(stream);
}

void finishAllStreams() {
  queues().finishAll();
}

void waitForCard() {
  ++cardWaits;
  queues().finishAll();
}

}  // namespace espalier::emulation

using namespace espalier::emulation;

namespace {

/// What a stream answers to calls that a capture does not allow: they spoil it.
cudaError_t refuseWhileCapturing(cudaStream_t stream) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  CUstream_st& target = queues().streamOf(stream);
  if (!target.capturing()) return cudaSuccess;
  target.capture->invalid = true;
  return remember(cudaErrorStreamCaptureUnsupported);
}

}  // namespace

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  *stream = queues().make();
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  queues().remove(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t status = refuseWhileCapturing(stream); status != cudaSuccess) return status;
  queues().finish(stream);
  return remember(cardState());
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (const cudaError_t status = refuseWhileCapturing(stream); status != cudaSuccess) return status;
  return remember(queues().poll(stream) ? cudaErrorNotReady : cardState());
}

cudaError_t cudaDeviceSynchronize() {
  waitForCard();
  return remember(cardState());
}

cudaError_t cudaDeviceReset() {
  return cudaDeviceSynchronize();
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  if (event->capture != nullptr && !event->capture->ended) {
    queues().streamOf(stream).capture = event->capture;
    return cudaSuccess;
  }
  return enqueue(stream, [records = event->records, record = event->records->made] {
    queues().finish(*records, record);
  });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  if (stream == nullptr || stream->capturing()) return remember(cudaErrorIllegalState);
  stream->capture = std::make_shared<Capture>();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (stream == nullptr || !stream->capturing()) return remember(cudaErrorIllegalState);
  const std::shared_ptr<Capture> capture = std::exchange(stream->capture, nullptr);
  capture->ended = true;
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  if (capture->invalid || capture->cardWaits != cardWaits) {
    return remember(cudaErrorStreamCaptureInvalidated);
  }
  *graph = new CUgraph_st{std::move(capture->work)};
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const CUstream_st& target = queues().streamOf(stream);
  *status = !target.capturing()       ? cudaStreamCaptureStatusNone
            : target.capture->invalid ? cudaStreamCaptureStatusInvalidated
                                      : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  return enqueue(stream, [=] { function(argument); });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  *event = new CUevent_st;
  (*event)->timed = (flags & cudaEventDisableTiming) == 0;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  CUstream_st& target = queues().streamOf(stream);
  if (target.capturing()) {
    event->capture = target.capture;
    return cudaSuccess;
  }
  event->capture = nullptr;
  const std::lock_guard lock(queues().mutex());
  // What was recorded elsewhere before counts no longer.
  if (event->records->stream != stream) event->records = std::make_shared<Records>();
  event->records->stream = stream;
  return enqueue(stream,
                 [records = event->records, record = ++event->records->made] { records->passed = record; });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->capture != nullptr) return remember(cudaErrorInvalidValue);
  queues().finish(*event->records, event->records->made);
  return remember(cardState());
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (event->capture != nullptr) return remember(cudaErrorInvalidValue);
  const std::lock_guard lock(queues().mutex());
  if (event->records->passed < event->records->made) queues().poll(event->records->stream);
  return remember(event->records->passed < event->records->made ? cudaErrorNotReady : cardState());
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  const std::lock_guard lock(queues().mutex());
  for (const CUevent_st* event : {begin, end}) {
    if (event->records->made == 0 || !event->timed || event->capture != nullptr) {
      return remember(cudaErrorInvalidResourceHandle);
    }
    if (event->records->passed < event->records->made) return remember(cudaErrorNotReady);
  }
  *milliseconds = queues().someTime();
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (graph == nullptr || nodes != nullptr) return remember(cudaErrorInvalidValue);
  *count = graph->work.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  if (const cudaError_t state = cardState(); state != cudaSuccess) return remember(state);
  if (graph == nullptr) return remember(cudaErrorInvalidValue);
  *executable = new CUgraphExec_st{std::make_shared<const std::vector<Work>>(graph->work)};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (executable == nullptr) return remember(cudaErrorInvalidValue);
  return enqueue(stream, [work = executable->work] {
    for (const Work& item : *work) item();
  });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  return remember(cardState());
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
