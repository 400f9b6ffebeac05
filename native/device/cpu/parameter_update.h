#pragma once

#include <vector>

#include "device/cpu/drop_connect.h"
#include "device/cpu/kernels/kernels.h"
#include "device/cpu/work_shares.h"
#include "device/device.h"
#include "model/state.h"

namespace espalier::cpu {

/// Where the gradients of a panel go.
struct GradientPlace {
  /// Which sum: panels that go through the network side by side have one each.
  int64_t sum = 0;
  /// Whether the sum begins with this panel.
  bool first = true;
  /// Whether it is the batch's gradient when this panel is in it, so that the weights move at once.
  bool last = true;
};

/// The gradient of one parameter: the sum, in their order, of those of the panels of a batch. Holds nothing
/// where a batch is one panel: there each gradient goes straight from its registers into the optimizer.
class GradientSum {
 public:
  GradientSum() = default;
  /// dropped: what masks the gradient before it moves anything; null for nothing.
  GradientSum(int64_t size, int64_t sums, const DropConnect* dropped = nullptr)
      : pitch_(roundUp(size, kApart)), sums_(pitch_ * sums), dropped_(dropped) {}

  /// Where to write the gradients of values from `begin` on, or, where accumulates(place), to add them.
  float* at(GradientPlace place, int64_t begin, float* scratch) {
    return sums_.empty() ? scratch : sums_.data() + place.sum * pitch_ + begin;
  }
  bool accumulates(GradientPlace place) const { return !sums_.empty() && !place.first; }

  /// Moves values [begin, begin + count) by what at() holds, if that is the batch's gradient; a masked one is
  /// changed.
  void settle(const Kernels& kernels, const UpdateArguments& update, Parameter& parameter, int64_t begin,
              int64_t count, float* gradient, GradientPlace place) const;

  /// The same for gradients that lie elsewhere.
  void take(const Kernels& kernels, const UpdateArguments& update, Parameter& parameter, int64_t begin,
            int64_t count, float* gradient, GradientPlace place);

  /// Adds up the first `sums` sums of a member's share, and moves the parameter if that is the batch's
  /// gradient.
  void combine(const Kernels& kernels, const UpdateArguments& update, Parameter& parameter, const Team& team,
               int64_t sums, bool last);

  int64_t bytes() const { return sums_.bytes(); }

 private:
  /// Numbers in two cache lines, which a processor may fetch together: what different threads write is no
  /// closer.
  static constexpr int64_t kApart = 32;

  int64_t pitch_ = 0;
  AlignedBuffer<float> sums_;
  const DropConnect* dropped_ = nullptr;
};

/// An optimizer's numbers as the kernels want them, with Adam's corrections tabulated.
class UpdateTable {
 public:
  UpdateTable() = default;
  explicit UpdateTable(const Optimizer& optimizer);

  UpdateArguments arguments(const StepSettings& settings) const;
  /// The same without weight decay and L1: for biases and the like.
  static UpdateArguments withoutDecay(UpdateArguments arguments) {
    arguments.weightDecay = 0;
    arguments.l1 = 0;
    return arguments;
  }

 private:
  UpdateArguments fixed_;
  std::vector<float> first_;
  std::vector<float> second_;
};

}  // namespace espalier::cpu
