#include <algorithm>

#include "device/cuda/kernels/sparse_products.h"
#include "sparse_operands.h"

namespace espalier::cuda::test {
namespace {

enum class Kernel { Gather, Staged };

const char* nameOf(Kernel kernel) {
  return kernel == Kernel::Gather ? "gather, " : "staged, ";
}

/// Both operands of a product, and the weights that it is about.
struct Product {
  Product(Context& context, const SparseCase& c, Pattern host, bool bfloat16)
      : context(context),
        c(c),
        pattern(std::move(host)),
        device(context, pattern, stagedChunkColumns(context.card, c.grid.block.columns, bfloat16), 0),
        random(static_cast<uint64_t>(7 + c.stride)),
        outputGradient(context, random, c.grid.rows, c.grid.blockRows() * c.grid.block.rows, c.stride,
                       bfloat16),
        input(context, random, c.grid.columns, c.grid.blockColumns() * c.grid.block.columns, c.stride,
              bfloat16) {}

  void run(Kernel kernel, const GradientSink& sink) {
    const SparseView matrix = device.forwardView(nullptr);
    if (kernel == Kernel::Gather) {
      gatherSddmm(context, matrix, outputGradient.features(), input.features(), c.stride, sink);
    } else {
      DeviceBuffer<float> partial =
          poisoned<float>(context, stagedSddmmScratch(context.card, matrix, c.stride));
      stagedSddmm(context, matrix, device.forwardChunks(), outputGradient.features(), input.features(),
                  c.stride, partial.data(), sink);
    }
  }

  /// Stored by the kernel.
  std::vector<float> gradient(Kernel kernel) {
    DeviceBuffer<float> stored = poisoned<float>(context, pattern.values());
    // Where a gradient is stored, it does not matter that the step moves nothing.
    StepParameters step = plainStep(c.stride);
    step.moveWeights = false;
    const DeviceBuffer<StepParameters> onCard = stepOnCard(context, step);
    GradientSink sink;
    sink.gradient = stored.data();
    sink.step = onCard.data();
    run(kernel, sink);
    return download(stored);
  }

  Context& context;
  const SparseCase c;
  const Pattern pattern;
  const DevicePattern device;
  Random random;
  FeatureOperand outputGradient, input;
};

void checkProduct(const SparseCase& c, bool bfloat16) {
  Context context;
  limitCard(context, c);
  Product product(context, c, raggedPattern(c.grid, c.density, 3), bfloat16);
  std::vector<double> sums(product.pattern.values()), magnitudes(product.pattern.values());
  forEachWeight(product.pattern, [&](int64_t weight, int64_t row, int64_t column, bool) {
    for (int32_t sample = 0; sample < c.stride; ++sample) {
      const double term = double{product.outputGradient.row(row)[sample]} * product.input.row(column)[sample];
      sums[weight] += term;
      magnitudes[weight] += std::abs(term);
    }
  });
  for (const Kernel kernel : {Kernel::Gather, Kernel::Staged}) {
    const std::string name = nameOf(kernel) + test::nameOf(c, bfloat16);
    const std::vector<float> found = product.gradient(kernel);
    expectAllClose(found, sums, magnitudes, name);
    // Equal inputs give equal bits.
    expect(product.gradient(kernel) == found, name + ": repeated");
  }
}

/// The arrays of an optimizer.
struct Weights {
  Weights(Context& context, const Pattern& pattern, bool adam) {
    Random random(31);
    const int64_t size = pattern.values();
    values = upload(context, weightsOf(pattern, random));
    first = upload(context, randomValues(random, size, 0.1f));
    std::vector<float> squares = randomValues(random, size, 0.1f);
    for (float& square : squares) square = std::abs(square);
    second = upload(context, squares);
    std::vector<int32_t> ages(size);
    for (int32_t& age : ages) age = static_cast<int32_t>(random.below(5));
    births = upload(context, ages);
    target.weights = values.data();
    target.first = first.data();
    if (!adam) return;
    target.second = second.data();
    target.births = births.data();
  }
  /// What is in all arrays, one after the other.
  std::vector<float> numbers() const {
    std::vector<float> all = download(values);
    for (const DeviceBuffer<float>* each : {&first, &second}) {
      const std::vector<float> more = download(*each);
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }

  DeviceBuffer<float> values, first, second;
  DeviceBuffer<int32_t> births;
  UpdateTarget target;
};

/// A product that moves the weights does what storing the gradient and moving them by it does.
void checkMoving(const SparseCase& c, bool adam) {
  Context context;
  limitCard(context, c);
  Product product(context, c, raggedPattern(c.grid, c.density, 3), false);
  const DeviceBuffer<float> corrections =
      upload(context, std::vector<float>{8, 4, 2, 1.5f, 1.25f, 1.125f, 1});
  UpdateRule rule;
  rule.kind = adam ? OptimizerKind::AdamW : OptimizerKind::Sgd;
  rule.weightDecay = 0.125f;
  rule.momentum = 0.75f;
  rule.nesterov = true;
  rule.beta1 = 0.875f;
  rule.beta2 = 0.9375f;
  rule.epsilon = 1e-6f;
  rule.firstCorrection = rule.secondCorrection = corrections.data();
  rule.corrections = static_cast<int32_t>(corrections.size());
  StepParameters step = plainStep(c.stride, 0.25f);
  step.update = 6;
  for (const Kernel kernel : {Kernel::Gather, Kernel::Staged}) {
    const std::string name = nameOf(kernel) + test::nameOf(c, false) + (adam ? ", AdamW" : ", SGD");
    Weights expected(context, product.pattern, adam), found(context, product.pattern, adam);
    const DeviceBuffer<float> gradient = upload(context, product.gradient(kernel));
    step.moveWeights = true;
    const DeviceBuffer<StepParameters> moves = stepOnCard(context, step);
    updateWeights(context, rule, expected.target, gradient.data(), gradient.size(), moves.data());
    step.moveWeights = false;
    const DeviceBuffer<StepParameters> rests = stepOnCard(context, step);
    GradientSink sink;
    sink.rule = rule;
    sink.target = found.target;
    sink.step = rests.data();
    const std::vector<float> before = found.numbers();
    product.run(kernel, sink);
    expect(found.numbers() == before, name + ": no weight moves where the step moves none");
    sink.step = moves.data();
    product.run(kernel, sink);
    const std::vector<float> after = found.numbers(), wanted = expected.numbers();
    for (size_t i = 0; i < after.size(); ++i) {
      const double tolerance = 0x1p-20 * (1 + std::abs(wanted[i]));
      if (!expectClose(after[i], wanted[i], tolerance, name + ": number " + std::to_string(i))) break;
    }
    expect(after != before, name + ": weights move");
  }
}

TEST("sddmm: single weights against float64") {
  for (const SparseCase& each : plainCases()) {
    for (const bool bfloat16 : {false, true}) checkProduct(each, bfloat16);
  }
}

TEST("sddmm: blocks against float64") {
  for (const SparseCase& each : blockCases()) {
    for (const bool bfloat16 : {false, true}) checkProduct(each, bfloat16);
  }
}

TEST("sddmm: the optimizer's step behind it") {
  for (const bool adam : {false, true}) {
    checkMoving({{37, 53, {1, 1}}, 0.2, 24}, adam);
    // More than one slice of the samples.
    checkMoving({{37, 53, {1, 1}}, 0.2, 264}, adam);
    checkMoving({{22, 30, {4, 2}}, 0.4, 40}, adam);
  }
}

TEST("sddmm: a matrix without entries") {
  const SparseCase c{{5, 7, {1, 1}}, 0, 16};
  Context context;
  limitCard(context, c);
  Product product(context, c, Pattern::fromPositions(c.grid, {}), false);
  for (const Kernel kernel : {Kernel::Gather, Kernel::Staged}) {
    expect(product.gradient(kernel).empty(), nameOf(kernel));
  }
}

}  // namespace
}  // namespace espalier::cuda::test
