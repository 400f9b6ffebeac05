#include "device/cpu/parameter_update.h"

#include <algorithm>
#include <utility>

namespace espalier::cpu {
namespace {

float* from(AlignedBuffer<float>& buffer, int64_t begin) {
  return buffer.empty() ? nullptr : buffer.data() + begin;
}

/// Asks for the lines of some numbers to be written, for this processor alone: read first, they would be
/// asked for twice where others have them too.
void fetchToWrite(const float* numbers, int64_t count) {
  if (numbers == nullptr) return;
  constexpr int64_t kLine = 64 / sizeof(float);
  for (int64_t i = 0; i < count; i += kLine) {
#if defined(__x86_64__)
    // Compiled for any such processor, the built-in function would ask for reading.
    asm volatile("prefetchw %0" : : "m"(numbers[i]));
#else
    __builtin_prefetch(numbers + i, 1);
#endif
  }
}

}  // namespace

void GradientSum::settle(const Kernels& kernels, const UpdateArguments& update, Parameter& parameter,
                         int64_t begin, int64_t count, float* gradient, GradientPlace place) const {
  if (!place.last) return;
  if (dropped_ != nullptr && dropped_->drops()) dropped_->mask(kernels, begin, count, gradient);
  const UpdateState state{parameter.values.data() + begin, from(parameter.first, begin),
                          from(parameter.second, begin),
                          parameter.births.empty() ? nullptr : parameter.births.data() + begin};
  kernels.update(update, state, gradient, count);
}

void GradientSum::take(const Kernels& kernels, const UpdateArguments& update, Parameter& parameter,
                       int64_t begin, int64_t count, float* gradient, GradientPlace place) {
  float* const target = at(place, begin, gradient);
  if (accumulates(place)) {
    for (int64_t i = 0; i < count; ++i) target[i] += gradient[i];
  } else if (target != gradient) {
    std::copy_n(gradient, count, target);
  }
  settle(kernels, update, parameter, begin, count, target, place);
}

void GradientSum::combine(const Kernels& kernels, const UpdateArguments& update, Parameter& parameter,
                          const Team& team, int64_t sums, bool last) {
  constexpr int64_t kAtOnce = 512;  // so that the optimizer finds the sum in the first cache
  const Range share = team.share(parameter.values.size(), kApart);
  for (int64_t begin = share.begin; begin < share.end; begin += kAtOnce) {
    const int64_t count = std::min(kAtOnce, share.end - begin), next = begin + count;
    const int64_t following = std::min(kAtOnce, share.end - next);
    fetchToWrite(sums_.data() + next, following);
    if (last) {
      fetchToWrite(parameter.values.data() + next, following);
      fetchToWrite(from(parameter.first, next), following);
      fetchToWrite(from(parameter.second, next), following);
    }
    float* const total = sums_.data() + begin;
    for (int64_t sum = 1; sum < sums; ++sum) {
      const float* const other = total + sum * pitch_;
      for (int64_t i = 0; i < count; ++i) total[i] += other[i];
    }
    settle(kernels, update, parameter, begin, count, total, {0, true, last});
  }
}

UpdateTable::UpdateTable(const Optimizer& optimizer) {
  switch (optimizer.kind) {
    case OptimizerKind::Sgd:
      fixed_.kind = UpdateArguments::Kind::Sgd;
      break;
    case OptimizerKind::Adam:
      fixed_.kind = UpdateArguments::Kind::Adam;
      break;
    case OptimizerKind::AdamW:
      fixed_.kind = UpdateArguments::Kind::AdamW;
      break;
  }
  fixed_.weightDecay = static_cast<float>(optimizer.weightDecay);
  fixed_.l1 = static_cast<float>(optimizer.l1);
  fixed_.momentum = static_cast<float>(optimizer.momentum);
  fixed_.nesterov = optimizer.nesterov;
  fixed_.beta1 = static_cast<float>(optimizer.beta1);
  fixed_.beta2 = static_cast<float>(optimizer.beta2);
  fixed_.epsilon = static_cast<float>(optimizer.epsilon);
  if (optimizer.hasSecond()) {
    BiasCorrections corrections = biasCorrections(optimizer);
    fixed_.corrections = static_cast<int32_t>(corrections.first.size());
    first_ = std::move(corrections.first);
    second_ = std::move(corrections.second);
  }
}

UpdateArguments UpdateTable::arguments(const StepSettings& settings) const {
  UpdateArguments arguments = fixed_;
  arguments.learningRate = settings.learningRate;
  arguments.step = countedUpdate(settings.update);
  arguments.firstCorrection = first_.data();
  arguments.secondCorrection = second_.data();
  return arguments;
}

}  // namespace espalier::cpu
