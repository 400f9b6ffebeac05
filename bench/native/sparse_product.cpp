#include <algorithm>
#include <vector>

#include "base/thread_pool.h"
#include "device/cpu/instruction_set.h"
#include "device/cpu/panels.h"
#include "device/cpu/sparse_products.h"
#include "numbers.h"
#include "products.h"
#include "sparse_state.h"

namespace espalier::bench {
namespace {

class SparseProduct final : public Workload {
 public:
  SparseProduct(const ProductShape& shape, const SparseShape& sparse)
      : product_(shape.product),
        kernels_(cpu::defaultKernels()),
        pool_(shape.threads),
        pattern_(sparsePattern(shape, sparse)),
        stride_(std::min(cpu::widestPanel(pattern_.values()), roundUp(shape.batch, cpu::kPanelUnit))),
        panels_(divideUp(shape.batch, stride_)),
        weights_(randomNumbers(pattern_.values(), 1)),
        paddedInputs_(roundUp(shape.inputs, sparse.block.columns)),
        paddedOutputs_(roundUp(shape.outputs, sparse.block.rows)),
        inputs_(randomNumbers(checkedProduct(paddedInputs_, stride_ * panels_), 2)),
        outputs_(randomNumbers(checkedProduct(paddedOutputs_, stride_ * panels_), 3)),
        products_(pattern_, stride_, shape.threads) {
    for (int i = 0; i < shape.threads; ++i) scratch_.emplace_back(products_.gradientScratch());
  }

  void run() override {
    pool_.run([this](int thread) {
      for (int64_t panel = 0; panel < panels_; ++panel) runPart(thread, panel);
    });
  }

 private:
  void runPart(int thread, int64_t panel) {
    float* const input = inputs_.data() + panel * paddedInputs_ * stride_;
    float* const output = outputs_.data() + panel * paddedOutputs_ * stride_;
    const cpu::Team team = cpu::Team::all(pool_, thread);
    const auto nothing = [](auto...) {};
    const auto into = [&](float* panel, int64_t height) {
      return [=, this](cpu::Range rows) { return panel + rows.begin * height * stride_; };
    };
    switch (product_) {
      case Product::Forward:
        return products_.multiply(kernels_, team, weights_.data(), input, stride_,
                                  into(output, pattern_.block().rows), nothing);
      case Product::InputGradient:
        return products_.multiplyTransposed(kernels_, team, weights_.data(), output, stride_,
                                            into(input, pattern_.block().columns), nothing);
      case Product::WeightGradient:
        return products_.gradient(
            kernels_, team, output, input, stride_, false, [&](int64_t) { return scratch_[thread].data(); },
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

std::unique_ptr<Workload> sparseProduct(const ProductShape& shape, const SparseShape& sparse) {
  return std::make_unique<SparseProduct>(shape, sparse);
}

}  // namespace espalier::bench
