#include "timing.h"

#include <algorithm>
#include <cmath>

#include "device/cuda/base/check.h"
#include "kernels.h"

namespace espalier::cuda::bench {
namespace {

constexpr size_t kNamedOfLeftOut = 8;

double quantile(const std::vector<double>& sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - static_cast<double>(below));
}

}  // namespace

Timing timingOf(std::vector<double> microseconds) {
  require(!microseconds.empty(), ErrorCode::Internal, "a timing of no runs");
  std::sort(microseconds.begin(), microseconds.end());
  return {quantile(microseconds, 0.5), quantile(microseconds, 0.25), quantile(microseconds, 0.75),
          static_cast<int64_t>(microseconds.size())};
}

void Timing::addTo(Record& record) const {
  record.add("medianMicroseconds", median)
      .add("lowerQuartile", lowerQuartile)
      .add("upperQuartile", upperQuartile)
      .add("runs", runs);
}

Timer::Timer(Context& context, Scale scale)
    : context_(context),
      scale_(scale),
      written_(context.memory, std::max<int64_t>(1024, 2 * context.card.cacheBytes)),
      read_(context.memory, roundUp(written_.size(), 16)),
      sink_(context.memory, ceilingSinkSize(context.card)) {
  read_.clear();
}

void Timer::flush() {
  written_.clear();
  readOnce(context_, read_.data(), read_.size(), sink_.data());
}

double Timer::once(const std::function<void()>& work) {
  flush();
  Event begin, end;
  begin.record(context_.stream);
  work();
  end.record(context_.stream);
  end.synchronize();
  return 1000.0 * double{end.millisecondsSince(begin)};
}

Timing Timer::time(const std::function<void()>& work) {
  once(work);
  const double rough = once(work);
  int64_t runs = 20;
  if (rough > 10'000) runs = std::clamp<int64_t>(static_cast<int64_t>(200'000 / rough), 5, 20);
  if (scale_ == Scale::Quick) runs = std::min<int64_t>(runs, 10);
  if (scale_ == Scale::Tiny) runs = 2;
  // All runs are queued before any is waited for, so that the card never waits for the host inside a run.
  std::vector<Event> begins(static_cast<size_t>(runs)), ends(static_cast<size_t>(runs));
  for (size_t run = 0; run < begins.size(); ++run) {
    flush();
    begins[run].record(context_.stream);
    work();
    ends[run].record(context_.stream);
  }
  context_.stream.synchronize();
  std::vector<double> microseconds;
  for (size_t run = 0; run < begins.size(); ++run) {
    microseconds.push_back(1000.0 * double{ends[run].millisecondsSince(begins[run])});
  }
  return timingOf(std::move(microseconds));
}

Budget::Budget(double seconds) : seconds_(seconds) {}

bool Budget::allows(const std::string& cell) {
  if (elapsed() < seconds_) return true;
  leftOut_.push_back(cell);
  return false;
}

double Budget::elapsed() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void Budget::printLeftOut() const {
  if (leftOut_.empty()) return;
  std::string names;
  for (size_t i = 0; i < std::min(leftOut_.size(), kNamedOfLeftOut); ++i) {
    names += (i == 0 ? "" : "; ") + leftOut_[i];
  }
  if (leftOut_.size() > kNamedOfLeftOut) names += "; ...";
  Record("leftOut").add("count", static_cast<int64_t>(leftOut_.size())).add("cells", names).print();
}

void guarded(Context& context, const std::string& cell, const std::function<void()>& work) {
  try {
    work();
    context.stream.synchronize();
  } catch (const std::exception& error) {
    Record("failure").add("cell", cell).add("message", error.what()).print();
    // An error of a launch is kept until somebody asks for it.
    (void)cudaGetLastError();
    check(cudaDeviceSynchronize(), ("go on after a failure in " + cell).c_str());
  }
}

double hostMicroseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace espalier::cuda::bench
