#include <algorithm>
#include <vector>

#include "base/thread_pool.h"
#include "device/cpu/instruction_set.h"
#include "device/cpu/panels.h"
#include "device/cpu/parameter_update.h"
#include "device/cpu/sparse_products.h"
#include "numbers.h"
#include "products.h"
#include "sparse_state.h"

namespace espalier::bench {
namespace {

/// Input and weight gradient as a layer of single weights computes them, whichever way it goes there (see
/// native/device/cpu/sparse_layer.cpp), with what adding up the gradients of threads takes.
class SparseBackward final : public Workload {
 public:
  SparseBackward(const LayerShape& shape, const SparseShape& sparse)
      : kernels_(cpu::defaultKernels()),
        pool_(shape.threads),
        pattern_(sparsePattern(shape, sparse)),
        stride_(std::min(cpu::widestPanel(pattern_.values()), roundUp(shape.batch, cpu::kPanelUnit))),
        panels_(divideUp(shape.batch, stride_)),
        inputsOfPanel_(checkedProduct(shape.inputs, stride_)),
        outputsOfPanel_(checkedProduct(shape.outputs, stride_)),
        inputs_(randomNumbers(checkedProduct(inputsOfPanel_, panels_), 2)),
        outputGradients_(randomNumbers(checkedProduct(outputsOfPanel_, panels_), 3)),
        inputGradients_(checkedProduct(inputsOfPanel_, panels_)),
        products_(pattern_, stride_, shape.threads),
        sideBySide_(shape.threads > 1 && panels_ % shape.threads == 0 && !products_.settlesChunks() &&
                    cpu::hasFewWeights(pattern_.values(), shape.inputs + shape.outputs, shape.batch)),
        gradients_(pattern_.values(), sideBySide_ ? shape.threads : 1) {
    weights_.values = randomNumbers(pattern_.values(), 1);
  }

  void run() override {
    pool_.run([this](int thread) {
      const cpu::Team all = cpu::Team::all(pool_, thread);
      if (!sideBySide_) {
        for (int64_t panel = 0; panel < panels_; ++panel) runPanel(all, panel, {0, panel == 0, false});
        return;
      }
      const int64_t own = panels_ / pool_.threads(), first = thread * own;
      for (int64_t panel = first; panel < first + own; ++panel)
        runPanel(cpu::Team::alone(), panel, {thread, panel == first, false});
      pool_.barrier();
      gradients_.combine(kernels_, {}, weights_, all, pool_.threads(), false);
    });
  }

 private:
  void runPanel(const cpu::Team& team, int64_t panel, const cpu::GradientPlace& place) {
    const float* const weights = weights_.values.data();
    const bool accumulate = gradients_.accumulates(place);
    const float* const input = inputs_.data() + panel * inputsOfPanel_;
    const float* const outputGradient = outputGradients_.data() + panel * outputsOfPanel_;
    const auto nothing = [](auto...) {};
    // Where a batch is one panel, each chunk goes to the optimizer from the same place.
    const bool reuses = products_.settlesChunks() && panels_ == 1;
    const auto at = [&](int64_t first) { return gradients_.at(place, reuses ? 0 : first, nullptr); };
    const auto outputOf = [&](cpu::Range columns) {
      return inputGradients_.data() + panel * inputsOfPanel_ + columns.begin * stride_;
    };
    if (products_.settlesChunks()) {
      products_.backwardInChunks(kernels_, team, weights, outputGradient, input, stride_, accumulate, at,
                                 nothing, outputOf, nothing);
    } else if (products_.repaysBackward(team, stride_)) {
      products_.backward(kernels_, team, weights, outputGradient, input, stride_, accumulate, at(0), outputOf,
                         nothing);
    } else {
      products_.multiplyTransposed(kernels_, team, weights, outputGradient, stride_, outputOf, nothing);
      products_.gradient(kernels_, team, outputGradient, input, stride_, accumulate, at, nothing);
    }
    team.barrier();
  }

  const cpu::Kernels& kernels_;
  ThreadPool pool_;
  const Pattern pattern_;
  const int64_t stride_;
  const int64_t panels_;
  const int64_t inputsOfPanel_;
  const int64_t outputsOfPanel_;
  Parameter weights_;
  AlignedBuffer<float> inputs_;
  AlignedBuffer<float> outputGradients_;
  AlignedBuffer<float> inputGradients_;
  const cpu::SparseProducts products_;
  const bool sideBySide_;
  cpu::GradientSum gradients_;
};

}  // namespace

std::unique_ptr<Workload> sparseBackward(const LayerShape& shape, const SparseShape& sparse) {
  require(sparse.block.size() == 1, ErrorCode::Option, "both gradients at once are of single weights");
  return std::make_unique<SparseBackward>(shape, sparse);
}

}  // namespace espalier::bench
