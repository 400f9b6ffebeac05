#include "kernel_times.h"

#include <algorithm>
#include <vector>

#include "device/cuda/base/check.h"
#include "kernels.h"
#include "timing.h"

namespace espalier::cuda::bench {
namespace {

constexpr int kRepeats = 20;
constexpr int kRuns = 9;

/// Kernels that the work queues.
int64_t countKernels(Context& context, const std::function<void()>& work) {
  const cudaStream_t stream = context.stream.get();
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin to capture");
  cudaGraph_t graph = nullptr;
  try {
    work();
  } catch (...) {
    (void)cudaStreamEndCapture(stream, &graph);
    if (graph != nullptr) (void)cudaGraphDestroy(graph);
    throw;
  }
  check(cudaStreamEndCapture(stream, &graph), "end a capture");
  size_t count = 0;
  const cudaError_t status = cudaGraphGetNodes(graph, nullptr, &count);
  (void)cudaGraphDestroy(graph);
  check(status, "count kernels");
  return static_cast<int64_t>(count);
}

/// Microseconds of one run of the work inside a graph of many.
double timeInGraph(Context& context, const std::function<void()>& work) {
  const Graph graph(context.stream, [&] {
    for (int i = 0; i < kRepeats; ++i) work();
  });
  std::vector<double> microseconds;
  for (int run = 0; run <= kRuns; ++run) {
    Event begin, end;
    begin.record(context.stream);
    graph.launch(context.stream);
    end.record(context.stream);
    end.synchronize();
    if (run > 0) microseconds.push_back(1000.0 * double{end.millisecondsSince(begin)} / kRepeats);
  }
  return timingOf(std::move(microseconds)).median;
}

}  // namespace

LaunchCost launchCost(Context& context) {
  launchNothing(context);
  return {timeInGraph(context, [&] { launchNothing(context); })};
}

DeedTime timeAlone(Context& context, const std::function<void()>& work, const LaunchCost& launch) {
  const int64_t kernels = countKernels(context, work);
  const double whole = timeInGraph(context, work);
  return {std::max(0.0, whole - launch.microseconds * static_cast<double>(kernels)), kernels};
}

}  // namespace espalier::cuda::bench
