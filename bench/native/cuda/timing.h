#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "device/cuda/base/context.h"
#include "options.h"
#include "record.h"

namespace espalier::cuda::bench {

/// Of several runs, in microseconds.
struct Timing {
  double median = 0;
  double lowerQuartile = 0;
  double upperQuartile = 0;
  int64_t runs = 0;

  void addTo(Record& record) const;
};

Timing timingOf(std::vector<double> microseconds);

/// Times work that is queued on a stream, by events around each run. Before each run a buffer of twice the
/// second-level cache is written, so that nothing of the run before is still there, and another one is read,
/// so that the run does not pay for bringing to memory what was written.
class Timer {
 public:
  Timer(Context& context, Scale scale);
  /// 20 runs and more, or 5 and more of work that takes longer than 10 milliseconds, after two to warm up.
  Timing time(const std::function<void()>& work);

 private:
  double once(const std::function<void()>& work);
  void flush();

  Context& context_;
  const Scale scale_;
  DeviceBuffer<unsigned char> written_;
  DeviceBuffer<unsigned char> read_;
  DeviceBuffer<float> sink_;
};

/// What is left of the time that a part of the benchmark was given. Names what there was no time for.
class Budget {
 public:
  explicit Budget(double seconds);
  /// False once the time is over; then `cell` is on the list of what was left out.
  bool allows(const std::string& cell);
  double elapsed() const;
  /// One line that says how much was left out, and the first few.
  void printLeftOut() const;

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  const double seconds_;
  std::vector<std::string> leftOut_;
};

/// Runs `work`; an error becomes a line that names the cell. Throws where the card can no longer be used: no
/// later measurement would be worth anything.
void guarded(Context& context, const std::string& cell, const std::function<void()>& work);

/// Microseconds of the host's clock.
double hostMicroseconds(const std::function<void()>& work);

}  // namespace espalier::cuda::bench
