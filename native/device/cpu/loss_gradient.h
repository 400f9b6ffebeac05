#pragma once

#include "base/aligned_buffer.h"
#include "device/cpu/kernels/kernels.h"
#include "device/device.h"
#include "model/loss.h"

namespace espalier::cpu {

/// The answers of the samples of one panel.
struct Answers {
  /// Row in `samples` of each sample of the panel, `count` of them; the rest of the panel is padding.
  const int64_t* indices;
  int64_t count;
  const Samples& samples;
};

/// Losses of the samples of a panel, and the gradient of the batch's loss.
class LossGradient {
 public:
  /// For panels of at most `widest` samples.
  LossGradient(Loss loss, int64_t outputs, int64_t widest);

  /// For a range of samples: each one's loss and whether its answer is right; and where `gradient` is not
  /// null the gradient of loss x scale with respect to the outputs, 0 for padding. Threads may divide the
  /// samples.
  void compute(const Kernels& kernels, const float* outputs, const Answers& answers, int64_t stride,
               Range samples, float scale, float* gradient);

  /// Adds up the first `count` samples of the panel, in their order.
  void addTo(Outcome& outcome, int64_t count) const;

  /// Turns outputs into what predict() promises, in place: probabilities for the cross-entropies.
  void toPrediction(const Kernels& kernels, float* outputs, int64_t stride, Range samples);

  int64_t bytes() const {
    return losses_.bytes() + logarithms_.bytes() + correct_.bytes() + probabilities_.bytes();
  }

 private:
  void softmax(const Kernels& kernels, const float* outputs, const Answers& answers, int64_t stride,
               Range samples, float scale, float* gradient);
  void elementwise(const float* outputs, const Answers& answers, int64_t stride, Range samples, float scale,
                   float* gradient);
  float target(const Answers& answers, int64_t sample, int64_t output) const;
  bool answersRight(const float* outputs, const Answers& answers, int64_t stride, int64_t sample) const;

  const Loss loss_;
  const int64_t outputs_;
  AlignedBuffer<double> losses_;
  AlignedBuffer<float> logarithms_;
  AlignedBuffer<int32_t> correct_;
  AlignedBuffer<float> probabilities_;
};

}  // namespace espalier::cpu
