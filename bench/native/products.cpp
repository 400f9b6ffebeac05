#include "products.h"

#include <algorithm>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "device/cpu/instruction_set.h"
#include "device/cpu/panels.h"
#include "device/cpu/sparse_products.h"
#include "topology/random_pattern.h"

namespace espalier::bench {
namespace {

AlignedBuffer<float> randomNumbers(int64_t size, uint64_t stream) {
  AlignedBuffer<float> buffer(size);
  for (int64_t i = 0; i < size; ++i)
    buffer[i] = randomNormal(stream, RandomPurpose::Weights, 0, static_cast<uint64_t>(i));
  return buffer;
}

class DenseProduct final : public Workload {
 public:
  DenseProduct(const OpenBlas& blas, const ProductShape& shape, Product product, bool sliced)
      : blas_(blas),
        shape_(shape),
        product_(product),
        pool_(sliced ? shape.threads : 1),
        blasThreads_(sliced ? 1 : shape.threads),
        weights_(randomNumbers(shape.outputs * shape.inputs, 1)),
        inputs_(randomNumbers(shape.inputs * shape.batch, 2)),
        outputs_(randomNumbers(shape.outputs * shape.batch, 3)) {}

  void run() override {
    blas_.setThreads(blasThreads_);
    pool_.run([this](int thread) { runPart(thread); });
  }

 private:
  void runPart(int thread) {
    const int64_t in = shape_.inputs, out = shape_.outputs, batch = shape_.batch;
    const int64_t rows = product_ == Product::InputGradient ? in : out;
    const cpu::Range part = cpu::evenShare(rows, thread, pool_.threads(), 16);
    switch (product_) {
      case Product::Forward:
        return blas_.sgemm(false, false, part.size(), batch, in, weights_.data() + part.begin * in, in,
                           inputs_.data(), batch, outputs_.data() + part.begin * batch, batch);
      case Product::InputGradient:
        return blas_.sgemm(true, false, part.size(), batch, out, weights_.data() + part.begin, in,
                           outputs_.data(), batch, inputs_.data() + part.begin * batch, batch);
      case Product::WeightGradient:
        return blas_.sgemm(false, true, part.size(), in, batch, outputs_.data() + part.begin * batch, batch,
                           inputs_.data(), batch, weights_.data() + part.begin * in, in);
    }
  }

  const OpenBlas& blas_;
  const ProductShape shape_;
  const Product product_;
  ThreadPool pool_;
  const int blasThreads_;
  AlignedBuffer<float> weights_;
  AlignedBuffer<float> inputs_;
  AlignedBuffer<float> outputs_;
};

class SparseProduct final : public Workload {
 public:
  SparseProduct(const ProductShape& shape, Product product, double sparsity, BlockShape block)
      : product_(product),
        kernels_(cpu::defaultKernels()),
        pool_(shape.threads),
        pattern_(makePattern(shape, sparsity, block)),
        stride_(std::min(cpu::widestPanel(pattern_.values()), roundUp(shape.batch, cpu::kPanelUnit))),
        panels_(divideUp(shape.batch, stride_)),
        weights_(randomNumbers(pattern_.values(), 1)),
        paddedInputs_(roundUp(shape.inputs, block.columns)),
        paddedOutputs_(roundUp(shape.outputs, block.rows)),
        inputs_(randomNumbers(paddedInputs_ * stride_ * panels_, 2)),
        outputs_(randomNumbers(paddedOutputs_ * stride_ * panels_, 3)),
        products_(pattern_, stride_, shape.threads) {
    for (int i = 0; i < shape.threads; ++i) scratch_.emplace_back(products_.gradientScratch());
  }

  void run() override {
    pool_.run([this](int thread) {
      for (int64_t panel = 0; panel < panels_; ++panel) runPart(thread, panel);
    });
  }

 private:
  static Pattern makePattern(const ProductShape& shape, double sparsity, BlockShape block) {
    const Grid grid{shape.outputs, shape.inputs, block};
    const auto blocks = static_cast<int64_t>(static_cast<double>(grid.positions()) * (1 - sparsity) + 0.5);
    return randomPattern(grid, std::max<int64_t>(blocks, 1), 1);
  }

  void runPart(int thread, int64_t panel) {
    float* const input = inputs_.data() + panel * paddedInputs_ * stride_;
    float* const output = outputs_.data() + panel * paddedOutputs_ * stride_;
    const auto nothing = [](auto...) {};
    switch (product_) {
      case Product::Forward:
        return products_.multiply(kernels_, weights_.data(), input, output, products_.rows(thread), nothing);
      case Product::InputGradient:
        return products_.multiplyTransposed(kernels_, weights_.data(), output, input,
                                            products_.columns(thread), nothing);
      case Product::WeightGradient:
        return products_.gradient(kernels_, output, input, products_.rows(thread), scratch_[thread].data(),
                                  nothing);
    }
  }

  const Product product_;
  const cpu::Kernels& kernels_;
  ThreadPool pool_;
  const Pattern pattern_;
  const int64_t stride_;
  const int64_t panels_;
  AlignedBuffer<float> weights_;
  const int64_t paddedInputs_;
  const int64_t paddedOutputs_;
  AlignedBuffer<float> inputs_;
  AlignedBuffer<float> outputs_;
  const cpu::SparseProducts products_;
  std::vector<AlignedBuffer<float>> scratch_;
};

}  // namespace

std::unique_ptr<Workload> denseProduct(const OpenBlas& blas, const ProductShape& shape, Product product,
                                       bool sliced) {
  return std::make_unique<DenseProduct>(blas, shape, product, sliced);
}

std::unique_ptr<Workload> sparseProduct(const ProductShape& shape, Product product, double sparsity,
                                        BlockShape block) {
  return std::make_unique<SparseProduct>(shape, product, sparsity, block);
}

}  // namespace espalier::bench
