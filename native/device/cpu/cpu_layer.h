#pragma once

#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "device/cpu/kernels/kernels.h"
#include "device/cpu/panels.h"
#include "device/cpu/parameter_update.h"
#include "device/cpu/work_shares.h"

namespace espalier::cpu {

/// One thread's part in taking one panel through the network. Every thread of the team makes the same calls.
struct Pass {
  Pass(const Kernels& kernels, const Team& team) : kernels(kernels), team(team) {}

  const Kernels& kernels;
  Team team;
  /// Of the whole pool, whatever the team.
  int thread = 0;
  /// Which of the layers' panels, and the samples in a row of it.
  int64_t panel = 0;
  int64_t stride = 0;
  bool training = false;
  /// Training: place of the panel's first sample in its batch, and the number of the step; they key dropout
  /// and DropConnect.
  int64_t firstSample = 0;
  int64_t step = 0;
  GradientPlace place;
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

  /// Whether prepare() has something to do.
  virtual bool prepares() const { return false; }

  /// Before panels go through the network, be it in a training step or not: makes what its products multiply.
  /// Every thread of the pool calls it, as one team, and no panel begins before all are done.
  virtual void prepare(const Pass&) {}

  /// Whether this layer, the lowest, takes samples as they are instead of a panel of them.
  virtual bool takesSamples() const { return false; }

  /// Takes a member's share of the panel's samples, of `features` features each. forward() comes when every
  /// member has done so; its input is then of no meaning.
  virtual void takeSamples(const Pass&, std::span<const float* const>, int64_t) {}

  /// Computes output(panel). Ends with a barrier.
  virtual void forward(const Pass& pass, const float* input) = 0;

  /// Where a thread is to write these rows of the gradient of output(panel), which begin with a multiple of
  /// kTileFeatures, and then calls finishGradientRows on the same rows, while they are in the cache.
  virtual float* gradientRows(const Pass& pass, Range rows) {
    return outputGradient_[pass.panel] + rows.begin * pass.stride;
  }

  /// Turns the gradient of the activation's output into that of its input.
  virtual void finishGradientRows(const Pass& pass, Range rows, Range samples);

  /// From outputGradient(panel): writes the gradient of the layer below, if there is one, and settles its own
  /// parameters. The weights change only after every thread has read them.
  virtual void backward(const Pass& pass, const float* input, CpuLayer* below) = 0;

  /// After panels that went through the network side by side: adds up their gradients, a member's share of
  /// each, and moves the parameters if pass.place.last.
  virtual void combine(const Pass& pass, int64_t panels);

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
inline void CpuLayer::combine(const Pass&, int64_t) {}

/// What every layer is made from.
struct LayerSetting {
  const LayerDescription& description;
  LayerState& state;
  const Kernels& kernels;
  int64_t index = 0;
  /// Of the network; keys dropout and DropConnect.
  uint64_t seed = 0;
  /// Features of the output, rounded up to whole blocks of this layer and the next.
  int64_t paddedOutputs = 0;
  int64_t stride = 0;
  int64_t panels = 1;
  bool training = false;
  /// Whether the layer above writes rows of this one's gradient as a whole, and not some samples of all.
  bool gradientInRows = false;
  /// Whether outputGradient(panel) is wanted after the step.
  bool keepsBatch = false;
  /// Whether gathered activations and gradients are rounded to bfloat16.
  bool narrow = false;
  /// Panels that go through the network side by side.
  int64_t panelsAtOnce = 1;
  /// Sums of each parameter's gradient that are needed; none where a batch is one panel.
  int64_t gradientSums = 0;
  int threads = 1;
  /// All-ReLU: which hidden layer this is, counted from 1.
  int64_t hiddenNumber = 1;
};

}  // namespace espalier::cpu
