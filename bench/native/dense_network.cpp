#include <algorithm>
#include <utility>

#include "base/random.h"
#include "base/share.h"
#include "dense_team.h"
#include "device/cpu/instruction_set.h"
#include "device/cpu/loss_gradient.h"
#include "kernels/loops.h"
#include "numbers.h"
#include "trained_network.h"

namespace espalier::bench {
namespace {

/// Zeros and ones, as many zeros as the sparsity asks for.
AlignedBuffer<float> randomMask(int64_t size, double sparsity, uint64_t seed) {
  AlignedBuffer<float> mask(size);
  const Feistel order(static_cast<uint64_t>(size), seed);
  const int64_t ones = size - wholeShare(sparsity, size);
  for (int64_t i = 0; i < ones; ++i) mask[static_cast<int64_t>(order(static_cast<uint64_t>(i)))] = 1;
  return mask;
}

/// Weights outputs x inputs, activations and their gradients features x stride.
struct Layer {
  Layer(int64_t inputs, int64_t outputs, int64_t stride, uint64_t seed, std::optional<double> maskSparsity)
      : inputs(inputs),
        outputs(outputs),
        weight(heWeights(outputs, inputs, seed)),
        gradient(weight.size()),
        velocity(weight.size()),
        bias(outputs),
        biasGradient(outputs),
        biasVelocity(outputs),
        outputGradient(checkedProduct(outputs, stride)) {
    if (!maskSparsity) return;
    mask = randomMask(weight.size(), *maskSparsity, seed);
    for (int64_t i = 0; i < weight.size(); ++i) weight[i] *= mask[i];
  }

  int64_t inputs, outputs;
  AlignedBuffer<float> weight, gradient, velocity, bias, biasGradient, biasVelocity, outputGradient;
  /// Of every weight; empty where nothing is masked.
  AlignedBuffer<float> mask;
};

class DenseNetwork final : public TrainedNetwork {
 public:
  DenseNetwork(const DenseSource& source, const NetworkShape& shape, std::optional<double> maskSparsity)
      : kernels_(cpu::defaultKernels()),
        loops_(defaultLoops()),
        team_(source, shape.threads),
        stride_(roundUp(shape.batch, cpu::kPanelUnit)),
        loss_(Loss::SoftmaxCrossEntropy, shape.sizes.back(), stride_) {
    activations_.emplace_back(checkedProduct(shape.sizes.front(), stride_));
    for (size_t i = 1; i < shape.sizes.size(); ++i) {
      layers_.emplace_back(shape.sizes[i - 1], shape.sizes[i], stride_, i, maskSparsity);
      activations_.emplace_back(checkedProduct(shape.sizes[i], stride_));
    }
  }

  void step(const Samples& samples, const Batch& batch) override {
    count_ = batch.count;
    indices_.resize(static_cast<size_t>(count_));
    rows_.resize(static_cast<size_t>(count_));
    for (int64_t i = 0; i < count_; ++i) {
      indices_[i] = batch.sample(i);
      rows_[i] = samples.values + indices_[i] * samples.features;
    }
    team_.run([&](int thread) { runPart(thread, samples); });
    loss_.addTo(outcome_, count_);
  }

  Outcome finish() override { return std::exchange(outcome_, {}); }

 private:
  void runPart(int thread, const Samples& samples) {
    const cpu::Range features = team_.share(layers_[0].inputs, thread);
    kernels_.gatherPanel(rows_.data(), count_, activations_[0].data() + features.begin * stride_, stride_,
                         features);
    team_.barrier();
    for (size_t i = 0; i < layers_.size(); ++i) forward(i, thread);
    loss_.compute(kernels_, activations_.back().data(), {indices_.data(), count_, samples}, stride_,
                  team_.share(stride_, thread), 1.0f / static_cast<float>(count_),
                  layers_.back().outputGradient.data());
    team_.barrier();
    for (size_t i = layers_.size(); i-- > 0;) {
      if (i > 0) backward(i, thread);
      settle(i, thread);
    }
  }

  void forward(size_t i, int thread) {
    Layer& layer = layers_[i];
    const cpu::Range rows = team_.share(layer.outputs, thread);
    float* const output = activations_[i + 1].data();
    team_.blas().sgemm(rows.size(), count_, layer.inputs,
                       {layer.weight.data() + rows.begin * layer.inputs, layer.inputs},
                       {activations_[i].data(), stride_}, output + rows.begin * stride_, stride_);
    const cpu::ActivationArguments activation{i + 1 < layers_.size() ? Activation::Relu : Activation::Linear};
    kernels_.activate(activation, layer.bias.data(), output, output, stride_, rows, samples());
    team_.barrier();
  }

  /// The gradient of the layer's input.
  void backward(size_t i, int thread) {
    const Layer& layer = layers_[i];
    const cpu::Range rows = team_.share(layer.inputs, thread);
    float* const gradient = layers_[i - 1].outputGradient.data();
    team_.blas().sgemm(rows.size(), count_, layer.outputs,
                       transposed(layer.weight.data() + rows.begin, layer.inputs),
                       {layer.outputGradient.data(), stride_}, gradient + rows.begin * stride_, stride_);
    clearPadding(gradient, rows);
    const cpu::ActivationArguments relu{Activation::Relu};
    kernels_.activateBackward(relu, activations_[i].data(), gradient, stride_, rows, samples());
    team_.barrier();
  }

  /// The gradient of the layer's parameters, and their update.
  void settle(size_t i, int thread) {
    Layer& layer = layers_[i];
    const cpu::Range rows = team_.share(layer.outputs, thread);
    const int64_t first = rows.begin * layer.inputs, size = rows.size() * layer.inputs;
    float* const weight = layer.weight.data() + first;
    float* const gradient = layer.gradient.data() + first;
    float* const velocity = layer.velocity.data() + first;
    team_.blas().sgemm(rows.size(), layer.inputs, count_,
                       {layer.outputGradient.data() + rows.begin * stride_, stride_},
                       transposed(activations_[i].data(), stride_), gradient, layer.inputs);
    cpu::UpdateArguments update;
    update.learningRate = kLearningRate;
    update.momentum = kMomentum;
    if (layer.mask.empty()) {
      kernels_.update(update, {weight, velocity, nullptr, nullptr}, gradient, size);
    } else {
      loops_.maskedUpdate(kLearningRate, kMomentum,
                          {layer.mask.data() + first, gradient, velocity, weight, size});
    }
    kernels_.rowSums(layer.outputGradient.data(), stride_, rows, layer.biasGradient.data());
    kernels_.update(
        update, {layer.bias.data() + rows.begin, layer.biasVelocity.data() + rows.begin, nullptr, nullptr},
        layer.biasGradient.data() + rows.begin, rows.size());
  }

  /// The samples of the batch in whole vectors.
  cpu::Range samples() const { return {0, roundUp(count_, cpu::kPanelUnit)}; }

  /// rowSums adds up whole rows, and a smaller batch may have been larger before.
  void clearPadding(float* gradient, cpu::Range rows) const {
    if (count_ == stride_) return;
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      std::fill(gradient + row * stride_ + count_, gradient + (row + 1) * stride_, 0.0f);
    }
  }

  const cpu::Kernels& kernels_;
  const Loops& loops_;
  DenseTeam team_;
  /// Numbers of a row of activations.
  const int64_t stride_;
  cpu::LossGradient loss_;
  std::vector<Layer> layers_;
  /// The input of every layer, and the output of the last.
  std::vector<AlignedBuffer<float>> activations_;
  /// Of the batch under way.
  int64_t count_ = 0;
  std::vector<int64_t> indices_;
  std::vector<const float*> rows_;
  Outcome outcome_;
};

}  // namespace

std::unique_ptr<TrainedNetwork> denseNetwork(const DenseSource& source, const NetworkShape& shape,
                                             std::optional<double> maskSparsity) {
  return std::make_unique<DenseNetwork>(source, shape, maskSparsity);
}

}  // namespace espalier::bench
