#include "device/cuda/products/choice.h"

#include <algorithm>
#include <limits>

namespace espalier::cuda {
namespace {

constexpr int kTrials = 5;

}  // namespace

float timeOf(Context& context, const std::function<void()>& work) {
  Event begin, end;
  float best = std::numeric_limits<float>::infinity();
  for (int trial = 0; trial <= kTrials; ++trial) {
    begin.record(context.stream);
    work();
    end.record(context.stream);
    end.synchronize();
    if (trial > 0) best = std::min(best, end.millisecondsSince(begin));
  }
  return best;
}

}  // namespace espalier::cuda
