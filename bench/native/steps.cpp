#include "steps.h"

#include <algorithm>
#include <array>

#include "base/aligned_buffer.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "device/cpu/instruction_set.h"
#include "device/cpu/loss_gradient.h"
#include "device/cpu/work_shares.h"
#include "device/device.h"

namespace espalier::bench {
namespace {

constexpr int64_t kSamples = 8192;
constexpr float kLearningRate = 0.01f;
constexpr float kMomentum = 0.9f;

/// Samples in an order that changes from step to step, as training has them.
class Data {
 public:
  Data(int64_t features, int64_t classes)
      : values_(kSamples * features), labels_(kSamples), features_(features) {
    for (int64_t i = 0; i < values_.size(); ++i) {
      values_[i] = randomNormal(7, RandomPurpose::Weights, 0, static_cast<uint64_t>(i));
    }
    for (int64_t i = 0; i < kSamples; ++i) labels_[i] = static_cast<int32_t>(i * 7919 % classes);
  }

  Samples samples() const { return {kSamples, features_, values_.data(), labels_.data(), nullptr}; }

  /// count: at most kSamples.
  Batch nextBatch(int64_t count) {
    if (next_ + count > kSamples) next_ = 0;
    const Batch batch{next_, count, &order_};
    next_ += count;
    return batch;
  }

 private:
  AlignedBuffer<float> values_;
  AlignedBuffer<int32_t> labels_;
  const int64_t features_;
  const Feistel order_{kSamples, 3};
  int64_t next_ = 0;
};

class DenseStep final : public Workload {
 public:
  DenseStep(const OpenBlas& blas, const StepShape& shape, bool sliced)
      : blas_(blas),
        kernels_(cpu::defaultKernels()),
        pool_(sliced ? shape.threads : 1),
        blasThreads_(sliced ? 1 : shape.threads),
        batch_(shape.batch),
        data_(shape.sizes.front(), shape.sizes.back()),
        indices_(static_cast<size_t>(shape.batch)),
        rows_(static_cast<size_t>(shape.batch)),
        loss_(Loss::SoftmaxCrossEntropy, shape.sizes.back(), shape.batch) {
    activations_.emplace_back(shape.sizes.front() * batch_);
    for (size_t i = 1; i < shape.sizes.size(); ++i) {
      Layer layer;
      layer.inputs = shape.sizes[i - 1];
      layer.outputs = shape.sizes[i];
      layer.weight = AlignedBuffer<float>(layer.outputs * layer.inputs);
      for (int64_t k = 0; k < layer.weight.size(); ++k) {
        layer.weight[k] = 0.05f * randomNormal(i, RandomPurpose::Weights, 0, static_cast<uint64_t>(k));
      }
      layer.gradient = AlignedBuffer<float>(layer.weight.size());
      layer.velocity = AlignedBuffer<float>(layer.weight.size());
      layer.bias = AlignedBuffer<float>(layer.outputs);
      layer.biasGradient = AlignedBuffer<float>(layer.outputs);
      layer.biasVelocity = AlignedBuffer<float>(layer.outputs);
      layer.outputGradient = AlignedBuffer<float>(layer.outputs * batch_);
      layers_.push_back(std::move(layer));
      activations_.emplace_back(shape.sizes[i] * batch_);
    }
  }

  void run() override {
    blas_.setThreads(blasThreads_);
    const Batch batch = data_.nextBatch(batch_);
    for (int64_t i = 0; i < batch_; ++i) indices_[i] = batch.sample(i);
    const Samples samples = data_.samples();
    for (size_t i = 0; i < indices_.size(); ++i) rows_[i] = samples.values + indices_[i] * samples.features;
    pool_.run([&](int thread) { runPart(thread, samples); });
  }

 private:
  struct Layer {
    int64_t inputs = 0, outputs = 0;
    AlignedBuffer<float> weight, gradient, velocity, bias, biasGradient, biasVelocity, outputGradient;
  };

  cpu::Range share(int64_t count, int thread) const {
    return cpu::evenShare(count, thread, pool_.threads(), 16);
  }

  void runPart(int thread, const Samples& samples) {
    kernels_.gatherPanel(rows_.data(), batch_, activations_[0].data(), batch_,
                         share(layers_[0].inputs, thread));
    pool_.barrier();
    for (size_t i = 0; i < layers_.size(); ++i) forward(i, thread);
    const cpu::Range own = share(batch_, thread);
    loss_.compute(kernels_, activations_.back().data(), {indices_.data(), batch_, samples}, own,
                  1.0f / static_cast<float>(batch_), layers_.back().outputGradient.data());
    pool_.barrier();
    for (size_t i = layers_.size(); i-- > 0;) backward(i, thread);
  }

  void forward(size_t i, int thread) {
    Layer& layer = layers_[i];
    const cpu::Range rows = share(layer.outputs, thread);
    float* const output = activations_[i + 1].data();
    blas_.sgemm(false, false, rows.size(), batch_, layer.inputs,
                layer.weight.data() + rows.begin * layer.inputs, layer.inputs, activations_[i].data(), batch_,
                output + rows.begin * batch_, batch_);
    const cpu::ActivationArguments activation{i + 1 < layers_.size() ? Activation::Relu : Activation::Linear};
    kernels_.activate(activation, layer.bias.data(), output, output, batch_, rows, {0, batch_});
    pool_.barrier();
  }

  void backward(size_t i, int thread) {
    Layer& layer = layers_[i];
    if (i > 0) {
      const cpu::Range rows = share(layer.inputs, thread);
      float* const gradient = layers_[i - 1].outputGradient.data();
      blas_.sgemm(true, false, rows.size(), batch_, layer.outputs, layer.weight.data() + rows.begin,
                  layer.inputs, layer.outputGradient.data(), batch_, gradient + rows.begin * batch_, batch_);
      const cpu::ActivationArguments relu{Activation::Relu};
      kernels_.activateBackward(relu, activations_[i].data(), gradient, batch_, rows, {0, batch_});
      pool_.barrier();
    }
    const cpu::Range rows = share(layer.outputs, thread);
    blas_.sgemm(false, true, rows.size(), layer.inputs, batch_,
                layer.outputGradient.data() + rows.begin * batch_, batch_, activations_[i].data(), batch_,
                layer.gradient.data() + rows.begin * layer.inputs, layer.inputs);
    cpu::UpdateArguments update;
    update.learningRate = kLearningRate;
    update.momentum = kMomentum;
    const int64_t first = rows.begin * layer.inputs;
    kernels_.update(update, {layer.weight.data() + first, layer.velocity.data() + first, nullptr, nullptr},
                    layer.gradient.data() + first, rows.size() * layer.inputs);
    kernels_.rowSums(layer.outputGradient.data(), batch_, rows, layer.biasGradient.data());
    kernels_.update(
        update, {layer.bias.data() + rows.begin, layer.biasVelocity.data() + rows.begin, nullptr, nullptr},
        layer.biasGradient.data() + rows.begin, rows.size());
  }

  const OpenBlas& blas_;
  const cpu::Kernels& kernels_;
  ThreadPool pool_;
  const int blasThreads_;
  const int64_t batch_;
  Data data_;
  std::vector<int64_t> indices_;
  std::vector<const float*> rows_;
  cpu::LossGradient loss_;
  std::vector<Layer> layers_;
  std::vector<AlignedBuffer<float>> activations_;
};

class SparseStep final : public Workload {
 public:
  SparseStep(const StepShape& shape, double sparsity, BlockShape block)
      : data_(shape.sizes.front(), shape.sizes.back()), batch_(shape.batch) {
    NetworkDescription description;
    description.inputs = shape.sizes.front();
    description.sparsity = sparsity;
    description.topology.kind = TopologyKind::Uniform;
    for (size_t i = 1; i < shape.sizes.size(); ++i) {
      LayerDescription layer;
      layer.outputs = shape.sizes[i];
      const bool last = i + 1 == shape.sizes.size();
      layer.kind = last ? LayerKind::Dense : LayerKind::Sparse;
      layer.activation = last ? Activation::Linear : Activation::Relu;
      if (!last) layer.block = block;
      description.layers.push_back(layer);
    }
    network_ = makeNetwork(description);
    Optimizer optimizer;
    optimizer.momentum = kMomentum;
    resetOptimizer(network_, optimizer);
    DeviceSettings settings;
    settings.threads = shape.threads;
    settings.batchSize = shape.batch;
    device_ = makeCpuDevice(network_, settings);
  }

  void run() override {
    StepSettings settings;
    settings.learningRate = kLearningRate;
    device_->step(data_.samples(), data_.nextBatch(batch_), settings);
    device_->finished(true);
  }

 private:
  Data data_;
  const int64_t batch_;
  NetworkState network_;
  std::unique_ptr<Device> device_;
};

}  // namespace

std::unique_ptr<Workload> denseStep(const OpenBlas& blas, const StepShape& shape, bool sliced) {
  return std::make_unique<DenseStep>(blas, shape, sliced);
}

std::unique_ptr<Workload> sparseStep(const StepShape& shape, double sparsity, BlockShape block) {
  return std::make_unique<SparseStep>(shape, sparsity, block);
}

}  // namespace espalier::bench
