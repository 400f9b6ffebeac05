#include "dense_team.h"
#include "numbers.h"
#include "products.h"

namespace espalier::bench {
namespace {

class DenseProduct final : public Workload {
 public:
  DenseProduct(const DenseSource& source, const ProductShape& shape)
      : shape_(shape),
        team_(source, shape.threads),
        weights_(randomNumbers(checkedProduct(shape.outputs, shape.inputs), 1)),
        inputs_(randomNumbers(checkedProduct(shape.inputs, shape.batch), 2)),
        outputs_(randomNumbers(checkedProduct(shape.outputs, shape.batch), 3)) {}

  void run() override {
    team_.run([this](int thread) { runPart(thread); });
  }

 private:
  void runPart(int thread) {
    const DenseLibrary& library = team_.blas();
    const int64_t in = shape_.inputs, out = shape_.outputs, batch = shape_.batch;
    const cpu::Range part = team_.share(shape_.product == Product::InputGradient ? in : out, thread);
    float* const weights = weights_.data();
    float* const inputs = inputs_.data();
    float* const outputs = outputs_.data();
    switch (shape_.product) {
      case Product::Forward:
        return library.sgemm(part.size(), batch, in, {weights + part.begin * in, in}, {inputs, batch},
                             outputs + part.begin * batch, batch);
      case Product::InputGradient:
        return library.sgemm(part.size(), batch, out, transposed(weights + part.begin, in), {outputs, batch},
                             inputs + part.begin * batch, batch);
      case Product::WeightGradient:
        return library.sgemm(part.size(), in, batch, {outputs + part.begin * batch, batch},
                             transposed(inputs, batch), weights + part.begin * in, in);
    }
  }

  const ProductShape shape_;
  DenseTeam team_;
  AlignedBuffer<float> weights_;
  AlignedBuffer<float> inputs_;
  AlignedBuffer<float> outputs_;
};

}  // namespace

std::unique_ptr<Workload> denseProduct(const DenseSource& source, const ProductShape& shape) {
  return std::make_unique<DenseProduct>(source, shape);
}

}  // namespace espalier::bench
