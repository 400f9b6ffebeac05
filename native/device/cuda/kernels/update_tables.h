#pragma once

#include "device/cuda/base/context.h"
#include "device/cuda/kernels/update.h"
#include "model/optimizer.h"

namespace espalier::cuda {

/// The optimizer as kernels see it, and the tables on the card that its rule points to.
class UpdateTables {
 public:
  /// Of a network that does not train: its rule is never looked at.
  UpdateTables() = default;
  UpdateTables(Context& context, const Optimizer& optimizer);

  /// Valid as long as this lives.
  const UpdateRule& rule() const { return rule_; }

 private:
  DeviceBuffer<float> firstCorrections_;
  DeviceBuffer<float> secondCorrections_;
  UpdateRule rule_;
};

}  // namespace espalier::cuda
