#include "model/optimizer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace espalier {
namespace {

/// Steps after which 1 - beta^t is 1 in float32.
int64_t stepsUntilOne(double beta) {
  if (beta <= 0) return 1;
  return static_cast<int64_t>(std::clamp(std::ceil(std::log(1e-8) / std::log(beta)), 1.0, 1048576.0));
}

std::vector<float> corrections(double beta, int64_t count) {
  std::vector<float> table(static_cast<size_t>(count));
  for (int64_t t = 1; t <= count; ++t)
    table[t - 1] = static_cast<float>(1.0 / (1.0 - std::pow(beta, static_cast<double>(t))));
  return table;
}

}  // namespace

BiasCorrections biasCorrections(const Optimizer& optimizer) {
  if (!optimizer.hasSecond()) return {};
  const int64_t count = std::max(stepsUntilOne(optimizer.beta1), stepsUntilOne(optimizer.beta2));
  return {corrections(optimizer.beta1, count), corrections(optimizer.beta2, count)};
}

}  // namespace espalier
