#include <vector>

#include "dense_team.h"
#include "device/cpu/instruction_set.h"
#include "inference.h"
#include "numbers.h"

namespace espalier::bench {
namespace {

struct Layer {
  int64_t inputs, outputs;
  AlignedBuffer<float> weight, bias;
};

/// Activations lie feature by feature, `stride` samples to a row: of the orders of a product the libraries'
/// fastest, by a sixth and more.
class DenseInference : public Workload {
 public:
  DenseInference(const DenseSource& source, const NetworkShape& shape)
      : kernels_(cpu::defaultKernels()),
        team_(source, shape.threads),
        batch_(shape.batch),
        stride_(roundUp(shape.batch, cpu::kPanelUnit)),
        values_(randomNumbers(checkedProduct(shape.batch, shape.sizes.front()), 7)),
        logarithms_(stride_),
        outputs_(checkedProduct(shape.batch, shape.sizes.back())) {
    activations_.emplace_back(checkedProduct(shape.sizes.front(), stride_));
    for (size_t i = 1; i < shape.sizes.size(); ++i) {
      const int64_t inputs = shape.sizes[i - 1], outputs = shape.sizes[i];
      layers_.push_back({inputs, outputs, heWeights(outputs, inputs, i), randomNumbers(outputs, i, 0.01f)});
      activations_.emplace_back(checkedProduct(outputs, stride_));
    }
    for (int64_t i = 0; i < batch_; ++i) rows_.push_back(values_.data() + i * shape.sizes.front());
  }

  void run() override {
    team_.run([this](int thread) {
      const cpu::Range features = team_.share(layers_[0].inputs, thread);
      kernels_.gatherPanel(rows_.data(), batch_, activations_[0].data() + features.begin * stride_, stride_,
                           features);
      team_.barrier();
      for (size_t i = 0; i < layers_.size(); ++i) {
        forward(i, team_.share(layers_[i].outputs, thread));
        team_.barrier();
      }
      classify(team_.share(batch_, thread));
    });
  }

 protected:
  void forward(size_t i, cpu::Range rows) {
    const Layer& layer = layers_[i];
    float* const output = activations_[i + 1].data();
    team_.blas().sgemm(rows.size(), batch_, layer.inputs,
                       {layer.weight.data() + rows.begin * layer.inputs, layer.inputs},
                       {activations_[i].data(), stride_}, output + rows.begin * stride_, stride_);
    const cpu::ActivationArguments activation{isLast(i) ? Activation::Linear : Activation::Relu};
    kernels_.activate(activation, layer.bias.data(), output, output, stride_, rows, {0, stride_});
  }

  /// From logits to probabilities, for some samples.
  void classify(cpu::Range samples) {
    const int64_t classes = layers_.back().outputs;
    float* const logits = activations_.back().data();
    kernels_.softmax(logits, logits, stride_, classes, {samples.begin, roundUp(samples.end, cpu::kPanelUnit)},
                     logarithms_.data());
    for (int64_t sample = samples.begin; sample < samples.end; ++sample) {
      float* const row = outputs_.data() + sample * classes;
      for (int64_t k = 0; k < classes; ++k) row[k] = logits[k * stride_ + sample];
    }
  }

  bool isLast(size_t layer) const { return layer + 1 == layers_.size(); }

  const cpu::Kernels& kernels_;
  DenseTeam team_;
  const int64_t batch_;
  const int64_t stride_;
  /// The samples, one after the other, and where each begins.
  const AlignedBuffer<float> values_;
  std::vector<const float*> rows_;
  std::vector<Layer> layers_;
  /// The input of every layer, and the output of the last.
  std::vector<AlignedBuffer<float>> activations_;
  AlignedBuffer<float> logarithms_;
  AlignedBuffer<float> outputs_;
};

/// One sample: activations are plain vectors, and products those of a matrix and a vector.
class SingleDenseInference final : public DenseInference {
 public:
  using DenseInference::DenseInference;

  void run() override {
    team_.run([this](int thread) {
      for (size_t i = 0; i < layers_.size(); ++i) {
        forwardVector(i, team_.share(layers_[i].outputs, thread));
        team_.barrier();
      }
      if (thread == 0) classify({0, 1});
    });
  }

 private:
  /// The logits lie apart, as the softmax wants them.
  void forwardVector(size_t i, cpu::Range rows) {
    const Layer& layer = layers_[i];
    const float* const input = i == 0 ? values_.data() : activations_[i].data();
    float* const output = activations_[i + 1].data();
    const int64_t apart = isLast(i) ? stride_ : 1;
    for (int64_t row = rows.begin; row < rows.end; ++row) output[row * apart] = layer.bias[row];
    team_.blas().sgemv(rows.size(), layer.inputs, layer.weight.data() + rows.begin * layer.inputs, input,
                       output + rows.begin * apart, apart);
    if (isLast(i)) return;
    const cpu::ActivationArguments relu{Activation::Relu};
    kernels_.activate(relu, nullptr, output, output, 0, {0, 1},
                      {rows.begin, roundUp(rows.end, cpu::kPanelUnit)});
  }
};

}  // namespace

std::unique_ptr<Workload> denseInference(const DenseSource& source, const NetworkShape& shape) {
  if (shape.batch == 1) return std::make_unique<SingleDenseInference>(source, shape);
  return std::make_unique<DenseInference>(source, shape);
}

}  // namespace espalier::bench
