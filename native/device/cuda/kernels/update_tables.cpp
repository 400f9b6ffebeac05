#include "device/cuda/kernels/update_tables.h"

namespace espalier::cuda {

UpdateTables::UpdateTables(Context& context, const Optimizer& optimizer) {
  rule_.kind = optimizer.kind;
  rule_.weightDecay = static_cast<float>(optimizer.weightDecay);
  rule_.l1 = static_cast<float>(optimizer.l1);
  rule_.momentum = static_cast<float>(optimizer.momentum);
  rule_.nesterov = optimizer.nesterov;
  rule_.beta1 = static_cast<float>(optimizer.beta1);
  rule_.beta2 = static_cast<float>(optimizer.beta2);
  rule_.epsilon = static_cast<float>(optimizer.epsilon);
  const BiasCorrections corrections = biasCorrections(optimizer);
  rule_.corrections = static_cast<int32_t>(corrections.first.size());
  firstCorrections_ = DeviceBuffer<float>(context.memory, rule_.corrections);
  firstCorrections_.upload(corrections.first);
  secondCorrections_ = DeviceBuffer<float>(context.memory, rule_.corrections);
  secondCorrections_.upload(corrections.second);
  // The tables on the host go now.
  context.stream.synchronize();
  rule_.firstCorrection = firstCorrections_.data();
  rule_.secondCorrection = secondCorrections_.data();
}

}  // namespace espalier::cuda
