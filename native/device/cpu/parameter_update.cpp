#include "device/cpu/parameter_update.h"

#include <algorithm>
#include <utility>

namespace espalier::cpu {
namespace {

float* at(AlignedBuffer<float>& buffer, int64_t begin) {
  return buffer.empty() ? nullptr : buffer.data() + begin;
}

}  // namespace

void GradientSum::settle(const Kernels& kernels, const UpdateArguments& update, Parameter& parameter,
                         int64_t begin, int64_t count, float* gradient, PanelPlace place) {
  if (!place.first || !place.last) {
    float* const sum = sum_.data() + begin;
    if (place.first) {
      std::copy_n(gradient, count, sum);
    } else {
      for (int64_t i = 0; i < count; ++i) sum[i] += gradient[i];
    }
    gradient = sum;
  }
  if (!place.last) return;
  const UpdateState state{parameter.values.data() + begin, at(parameter.first, begin),
                          at(parameter.second, begin),
                          parameter.births.empty() ? nullptr : parameter.births.data() + begin};
  kernels.update(update, state, gradient, count);
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
  arguments.step = static_cast<int32_t>(settings.update);
  arguments.firstCorrection = first_.data();
  arguments.secondCorrection = second_.data();
  return arguments;
}

}  // namespace espalier::cpu
