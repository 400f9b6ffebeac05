#include "device/cuda/base/stream.h"

#include "device/cuda/base/check.h"

namespace espalier::cuda {
namespace {

/// One for the process, as the card is one: networks know nothing of each other.
constinit std::mutex turns;

}  // namespace

Stream::Stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "make a stream");
  stream_.reset(stream);
}

void Stream::synchronize() const {
  check(cudaStreamSynchronize(get()), "finish the queued work");
}

Event::Event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "make an event");
  event_.reset(event);
}

void Event::record(const Stream& stream) {
  check(cudaEventRecord(event_.get(), stream.get()), "record an event");
}

void Event::synchronize() const {
  check(cudaEventSynchronize(event_.get()), "wait for an event");
}

bool Event::passed() const {
  const cudaError_t status = cudaEventQuery(event_.get());
  if (status == cudaErrorNotReady) return false;
  check(status, "ask for an event");
  return true;
}

void Event::holdBack(const Stream& stream) const {
  check(cudaStreamWaitEvent(stream.get(), event_.get(), 0), "let a stream wait");
}

float Event::millisecondsSince(const Event& begin) const {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin.event_.get(), event_.get()), "measure the time of kernels");
  return milliseconds;
}

std::unique_lock<std::mutex> captureTurn() {
  return std::unique_lock(turns);
}

void Graph::beginCapture(const Stream& stream) {
  // Thread-local: another network may allocate on its own thread meanwhile.
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "begin a graph");
}

void Graph::abandonCapture(const Stream& stream) noexcept {
  cudaGraph_t graph = nullptr;
  (void)cudaStreamEndCapture(stream.get(), &graph);
  if (graph != nullptr) (void)cudaGraphDestroy(graph);
  (void)cudaGetLastError();
}

void Graph::endCapture(const Stream& stream) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(stream.get(), &graph), "end a graph");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
  (void)cudaGraphDestroy(graph);
  check(status, "instantiate a graph");
  graph_.reset(executable);
}

void Graph::launch(const Stream& stream) const {
  check(cudaGraphLaunch(graph_.get(), stream.get()), "launch a graph");
}

}  // namespace espalier::cuda
