#include "device/cuda/products/choice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace espalier::cuda {
namespace {

constexpr int kTrials = 5;
/// A graph of a trial takes at least so long, if that needs no more than so many runs: longer than the host
/// takes to launch it, so that trials follow each other without a gap.
constexpr float kTrialMilliseconds = 0.1f;
constexpr int kRunsAtMost = 10;

}  // namespace

float timeOf(Context& context, const std::function<void()>& work) {
  // Kernels are loaded by their first launch, which a capture is no place for.
  work();
  std::array<Event, kTrials + 1> events;
  events[0].record(context.stream);
  work();
  events[1].record(context.stream);
  context.stream.synchronize();
  const float rough = std::max(events[1].millisecondsSince(events[0]), 1e-3f);
  const int runs = std::clamp(static_cast<int>(std::ceil(kTrialMilliseconds / rough)), 1, kRunsAtMost);

  const Graph graph(context.stream, [&] {
    for (int run = 0; run < runs; ++run) work();
  });
  // Before the first event, so that it passes while the next trial is queued already.
  graph.launch(context.stream);
  for (Event& event : events) {
    event.record(context.stream);
    if (&event != &events.back()) graph.launch(context.stream);
  }
  context.stream.synchronize();
  float best = std::numeric_limits<float>::infinity();
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    best = std::min(best, events[i + 1].millisecondsSince(events[i]));
  }
  return best / static_cast<float>(runs);
}

}  // namespace espalier::cuda
