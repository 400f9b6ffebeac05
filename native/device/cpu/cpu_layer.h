#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "device/cpu/kernels/kernels.h"
#include "device/cpu/panels.h"
#include "device/cpu/parameter_update.h"
#include "device/cpu/work_shares.h"

namespace espalier::cpu {

/// One thread's part in taking one panel through the network. Every thread of the team makes the same calls.
struct Pass {
  Pass(const Kernels& kernels, ThreadPool& pool) : kernels(kernels), pool(pool) {}

  const Kernels& kernels;
  ThreadPool& pool;
  int thread = 0;
  int64_t panel = 0;
  int64_t stride = 0;
  bool training = false;
  /// Training: place of the panel's first sample in its batch, and the number of the step; they key dropout.
  int64_t firstSample = 0;
  int64_t step = 0;
  PanelPlace place;
  /// Null where the weights are to stay.
  const UpdateArguments* update = nullptr;

  /// Every sample of the panel, padding included.
  Range samples() const { return {0, stride}; }
};

/// A layer of the network on the processor. Buffers belong to the layer; `input` is the output of the one
/// below.
class CpuLayer {
 public:
  virtual ~CpuLayer() = default;

  /// Computes output(panel). Ends with a barrier.
  virtual void forward(const Pass& pass, const float* input) = 0;

  /// Whoever writes rows of outputGradient(panel) calls this on them, while they are in the cache. Turns the
  /// gradient of the activation's output into that of its input.
  virtual void finishGradientRows(const Pass& pass, Range rows, Range samples);

  /// From outputGradient(panel): writes the gradient of the layer below, if there is one, and settles its own
  /// parameters. The weights change only after every thread has read them.
  virtual void backward(const Pass& pass, const float* input, CpuLayer* below) = 0;

  /// After the connections have moved.
  virtual void patternChanged() {}

  /// For growing by gradient: outputGradient(panel) x transpose(input(panel)) is the gradient of every
  /// position.
  float* output(int64_t panel) { return output_[panel]; }
  float* outputGradient(int64_t panel) { return outputGradient_[panel]; }

  virtual int64_t workspaceBytes() const { return output_.bytes() + outputGradient_.bytes(); }
  virtual int64_t gradientBytes() const { return 0; }

 protected:
  Panels output_;
  Panels outputGradient_;
};

inline void CpuLayer::finishGradientRows(const Pass&, Range, Range) {}

/// What every layer is made from.
struct LayerSetting {
  const LayerDescription& description;
  LayerState& state;
  int64_t index = 0;
  /// Of the network; keys dropout.
  uint64_t seed = 0;
  /// Features of the output, rounded up to whole blocks of this layer and the next.
  int64_t paddedOutputs = 0;
  int64_t stride = 0;
  int64_t panels = 1;
  bool training = false;
  /// Whether a batch is more than one panel.
  bool severalPanels = false;
  int threads = 1;
  /// All-ReLU: which hidden layer this is, counted from 1.
  int64_t hiddenNumber = 1;
};

}  // namespace espalier::cpu
