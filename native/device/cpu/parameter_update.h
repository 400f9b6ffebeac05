#pragma once

#include <vector>

#include "device/cpu/kernels/kernels.h"
#include "device/device.h"
#include "model/state.h"

namespace espalier::cpu {

/// Where a panel stands in its batch: the first panels' gradients are added up, the last one's sum moves the
/// weights.
struct PanelPlace {
  bool first = true;
  bool last = true;
};

/// The gradient of one parameter, summed over the panels of a batch. Holds nothing where a batch is one
/// panel: there each gradient goes straight from its registers into the optimizer.
class GradientSum {
 public:
  GradientSum() = default;
  GradientSum(int64_t size, bool severalPanels) : sum_(severalPanels ? size : 0) {}

  /// Takes the gradients of values [begin, begin + count) of one panel. On the last panel moves the
  /// parameter.
  void settle(const Kernels& kernels, const UpdateArguments& update, Parameter& parameter, int64_t begin,
              int64_t count, float* gradient, PanelPlace place);

  int64_t bytes() const { return sum_.bytes(); }

 private:
  AlignedBuffer<float> sum_;
};

/// An optimizer's numbers as the kernels want them, with Adam's corrections tabulated.
class UpdateTable {
 public:
  UpdateTable() = default;
  explicit UpdateTable(const Optimizer& optimizer);

  UpdateArguments arguments(const StepSettings& settings) const;
  /// The same without weight decay: for biases and the like.
  static UpdateArguments withoutDecay(UpdateArguments arguments) {
    arguments.weightDecay = 0;
    return arguments;
  }

 private:
  UpdateArguments fixed_;
  std::vector<float> first_;
  std::vector<float> second_;
};

}  // namespace espalier::cpu
