#include "device/cuda/kernels/block_products.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>

#include "feature_buffers.h"

namespace espalier::cuda::test {
namespace {

float toTf32OnHost(float value) {
  return std::bit_cast<float>((std::bit_cast<uint32_t>(value) + 0x1000u) & ~0x1FFFu);
}

float roundedAs(bool bfloat16, float value) {
  return bfloat16 ? fromRoundedBits(roundedBits(value)) : toTf32OnHost(value);
}

/// Numbers that are no tie in any rounding, so that it does not matter where a card sends ties.
std::vector<float> tielessValues(Random& random, int64_t size) {
  std::vector<float> values = randomValues(random, size, 1);
  for (float& value : values) value = std::bit_cast<float>(std::bit_cast<uint32_t>(value) | 1u);
  return values;
}

/// One view of a pattern on the card.
class ViewOnCard {
 public:
  ViewOnCard(Context& context, const Pattern& pattern, bool transposed, const float* values) {
    const Grid& grid = pattern.grid();
    const auto& from = transposed ? pattern.columnOffsets() : pattern.rowOffsets();
    const auto& indices = transposed ? pattern.rows() : pattern.columns();
    const std::vector<int32_t> offsets(from.begin(), from.end());
    std::vector<int32_t> order(offsets.size() - 1);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return offsets[a + 1] - offsets[a] > offsets[b + 1] - offsets[b];
    });
    offsets_ = upload(context, offsets);
    indices_ = upload(context, std::vector<int32_t>(indices.begin(), indices.end()));
    order_ = upload(context, order);
    view.offsets = offsets_.data();
    view.indices = indices_.data();
    view.values = values;
    view.order = order_.data();
    view.entries = static_cast<int32_t>(pattern.entries());
    view.blockRows = static_cast<int32_t>(transposed ? grid.blockColumns() : grid.blockRows());
    view.blockColumns = static_cast<int32_t>(transposed ? grid.blockRows() : grid.blockColumns());
    view.blockOutputs = transposed ? grid.block.columns : grid.block.rows;
    view.blockInputs = transposed ? grid.block.rows : grid.block.columns;
    view.outputStride = transposed ? 1 : grid.block.columns;
    view.inputStride = transposed ? grid.block.columns : 1;
    if (transposed) {
      const auto& valueIndex = pattern.valueIndex();
      valueIndex_ = upload(context, std::vector<int32_t>(valueIndex.begin(), valueIndex.end()));
      view.valueIndex = valueIndex_.data();
    }
  }

  SparseView view;

 private:
  DeviceBuffer<int32_t> offsets_, indices_, order_, valueIndex_;
};

/// Features of whole blocks on the card; in bfloat16 only the copy has numbers, in float32 there is no copy.
class Operand {
 public:
  Operand(Context& context, Random& random, int64_t rows, int64_t paddedRows, int32_t stride, bool bfloat16)
      : stride_(stride) {
    std::vector<float> values = tielessValues(random, paddedRows * stride);
    std::fill(values.begin() + rows * stride, values.end(), 0.0f);
    std::vector<uint16_t> bits;
    for (float& value : values) {
      if (bfloat16) bits.push_back(roundedBits(value));
      reference_.push_back(roundedAs(bfloat16, value));
    }
    rounded_ = upload(context, bits);
    if (bfloat16) {
      values_ = poisoned<float>(context, paddedRows * stride);
    } else {
      values_ = upload(context, values);
    }
  }

  Features features() { return {values_.data(), reinterpret_cast<const __nv_bfloat16*>(rounded_.data())}; }
  /// As the product sees it.
  const float* row(int64_t row) const { return reference_.data() + row * stride_; }

 private:
  int32_t stride_;
  std::vector<float> reference_;
  DeviceBuffer<float> values_;
  DeviceBuffer<uint16_t> rounded_;
};

struct Case {
  int64_t rows = 0;
  int64_t columns = 0;
  int32_t block = 8;
  double density = 0.3;
  int32_t stride = 8;
  /// Of the card, as far as launches know: with 1, warps take samples before they share entries.
  int multiprocessors = 132;
};

std::string nameOf(const Case& c, bool bfloat16) {
  return std::to_string(c.rows) + " x " + std::to_string(c.columns) + ", block " + std::to_string(c.block) +
         ", stride " + std::to_string(c.stride) + (bfloat16 ? ", bfloat16" : ", TF32");
}

/// Weights of a pattern, with zeros in padding.
std::vector<float> weightsOf(const Pattern& pattern, Random& random) {
  const Grid& grid = pattern.grid();
  std::vector<float> weights = tielessValues(random, pattern.values());
  const int32_t block = grid.block.rows;
  for (int64_t row = 0; row < grid.blockRows(); ++row) {
    for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry) {
      for (int64_t i = 0; i < block * block; ++i) {
        const bool inside = row * block + i / block < grid.rows &&
                            pattern.columns()[entry] * int64_t{block} + i % block < grid.columns;
        if (!inside) weights[entry * block * block + i] = 0;
      }
    }
  }
  return weights;
}

/// Calls work(weight index, output row, input row) for every stored weight.
template <typename Work>
void forEachWeight(const Pattern& pattern, const Work& work) {
  const int64_t block = pattern.block().rows;
  for (int64_t row = 0; row < pattern.grid().blockRows(); ++row) {
    for (int64_t entry = pattern.rowOffsets()[row]; entry < pattern.rowOffsets()[row + 1]; ++entry) {
      for (int64_t i = 0; i < block * block; ++i) {
        work(entry * block * block + i, row * block + i / block,
             pattern.columns()[entry] * block + i % block);
      }
    }
  }
}

void checkSpmm(const Case& c, bool transposed, bool bfloat16) {
  Context context;
  context.card.multiprocessors = c.multiprocessors;
  Random random(11 + static_cast<uint64_t>(c.stride + c.block));
  const Grid grid{c.rows, c.columns, {c.block, c.block}};
  const Pattern pattern = raggedPattern(grid, c.density, 3);
  const std::vector<float> weights = weightsOf(pattern, random);
  const DeviceBuffer<float> values = upload(context, weights);
  const ViewOnCard matrix(context, pattern, transposed, values.data());
  const int64_t outputRows = int64_t{matrix.view.blockRows} * c.block;
  Operand input(context, random, transposed ? c.rows : c.columns, int64_t{matrix.view.blockColumns} * c.block,
                c.stride, bfloat16);
  DeviceBuffer<float> output = poisoned<float>(context, outputRows * c.stride);
  blockSpmm(context, matrix.view, input.features(), output.data(), c.stride);
  const std::vector<float> found = download(output);

  std::vector<double> sums(found.size()), magnitudes(found.size());
  forEachWeight(pattern, [&](int64_t i, int64_t outputRow, int64_t inputRow) {
    if (transposed) std::swap(outputRow, inputRow);
    const double weight = roundedAs(bfloat16, weights[i]);
    const float* const from = input.row(inputRow);
    for (int32_t sample = 0; sample < c.stride; ++sample) {
      sums[outputRow * c.stride + sample] += weight * from[sample];
      magnitudes[outputRow * c.stride + sample] += std::abs(weight * from[sample]);
    }
  });
  const std::string name = nameOf(c, bfloat16) + (transposed ? ", transposed" : "");
  for (size_t i = 0; i < found.size(); ++i) {
    if (!expectClose(found[i], sums[i], 0x1p-20 * magnitudes[i], name + ": output " + std::to_string(i)))
      return;
  }
  // Equal inputs give equal bits.
  DeviceBuffer<float> again = poisoned<float>(context, outputRows * c.stride);
  blockSpmm(context, matrix.view, input.features(), again.data(), c.stride);
  expect(download(again) == found, name + ": repeated");
}

void checkEverywhere(const Case& c) {
  for (const bool transposed : {false, true}) {
    for (const bool bfloat16 : {false, true}) checkSpmm(c, transposed, bfloat16);
  }
}

/// What the optimizer makes of a gradient, in float64; see model/optimizer.h.
struct WeightState {
  double weight = 0, first = 0, second = 0;
};

WeightState moved(const UpdateRule& rule, WeightState w, double gradient, double rate, int32_t age) {
  const double g = gradient + rule.weightDecay * w.weight;
  if (rule.kind == OptimizerKind::Sgd) {
    w.first = rule.momentum * w.first + g;
    w.weight -= rate * w.first;
    return w;
  }
  w.first += (1 - double{rule.beta1}) * (g - w.first);
  w.second += (1 - double{rule.beta2}) * (g * g - w.second);
  const double first = w.first / (1 - std::pow(double{rule.beta1}, age));
  const double second = w.second / (1 - std::pow(double{rule.beta2}, age));
  w.weight -= rate * first / (std::sqrt(second) + rule.epsilon);
  return w;
}

/// A gradient product and what it should give.
struct Sddmm {
  Sddmm(const Case& c, bool bfloat16)
      : pattern(raggedPattern({c.rows, c.columns, {c.block, c.block}}, c.density, 5)),
        random(17 + static_cast<uint64_t>(c.stride + c.block)),
        matrix(context, pattern, false, nullptr),
        outputGradient(context, random, c.rows, pattern.grid().blockRows() * c.block, c.stride, bfloat16),
        input(context, random, c.columns, pattern.grid().blockColumns() * c.block, c.stride, bfloat16),
        stride(c.stride) {
    context.card.multiprocessors = c.multiprocessors;
    forEachWeight(pattern, [&](int64_t, int64_t outputRow, int64_t inputRow) {
      double sum = 0, magnitude = 0;
      for (int32_t sample = 0; sample < c.stride; ++sample) {
        const double product =
            double{outputGradient.row(outputRow)[sample]} * double{input.row(inputRow)[sample]};
        sum += product;
        magnitude += std::abs(product);
      }
      gradients.push_back(sum);
      tolerances.push_back(0x1p-20 * magnitude);
    });
  }

  void run(const GradientSink& sink) {
    blockSddmm(context, matrix.view, outputGradient.features(), input.features(), stride, sink);
  }

  Context context;
  Pattern pattern;
  Random random;
  ViewOnCard matrix;
  Operand outputGradient;
  Operand input;
  int32_t stride;
  std::vector<double> gradients, tolerances;
};

void checkSddmm(const Case& c, bool bfloat16) {
  Sddmm product(c, bfloat16);
  DeviceBuffer<float> gradient = poisoned<float>(product.context, product.pattern.values());
  GradientSink sink;
  sink.gradient = gradient.data();
  product.run(sink);
  const std::vector<float> found = download(gradient);
  const std::string name = nameOf(c, bfloat16);
  for (size_t i = 0; i < found.size(); ++i) {
    if (!expectClose(found[i], product.gradients[i], product.tolerances[i],
                     name + ": gradient " + std::to_string(i))) {
      return;
    }
  }
}

void checkUpdate(const Case& c, const UpdateRule& plainRule, bool moves) {
  Sddmm product(c, false);
  Context& context = product.context;
  UpdateRule rule = plainRule;
  rule.weightDecay = 0.01f;
  rule.corrections = 24;
  std::vector<float> corrections[2];
  for (int32_t t = 1; t <= rule.corrections; ++t) {
    corrections[0].push_back(static_cast<float>(1 / (1 - std::pow(double{rule.beta1}, t))));
    corrections[1].push_back(static_cast<float>(1 / (1 - std::pow(double{rule.beta2}, t))));
  }
  const DeviceBuffer<float> firstCorrection = upload(context, corrections[0]);
  const DeviceBuffer<float> secondCorrection = upload(context, corrections[1]);
  rule.firstCorrection = firstCorrection.data();
  rule.secondCorrection = secondCorrection.data();
  const int64_t size = product.pattern.values();
  const std::vector<float> weights = randomValues(product.random, size, 1);
  const std::vector<float> firsts = randomValues(product.random, size, 1);
  std::vector<float> seconds = randomValues(product.random, size, 1);
  for (float& second : seconds) second = std::abs(second) + 0.1f;
  std::vector<int32_t> births(static_cast<size_t>(size));
  for (int32_t& birth : births) birth = static_cast<int32_t>(product.random.below(30));
  DeviceBuffer<float> weightBuffer = upload(context, weights), firstBuffer = upload(context, firsts);
  DeviceBuffer<float> secondBuffer = upload(context, seconds);
  const DeviceBuffer<int32_t> birthBuffer = upload(context, births);
  StepParameters step = plainStep(c.stride, 0.1f);
  step.update = 30;
  step.moveWeights = moves;
  const DeviceBuffer<StepParameters> stepBuffer = upload(context, std::vector<StepParameters>{step});
  GradientSink sink;
  sink.rule = rule;
  sink.step = stepBuffer.data();
  sink.target.weights = weightBuffer.data();
  sink.target.first = firstBuffer.data();
  sink.target.births = birthBuffer.data();
  if (rule.kind != OptimizerKind::Sgd) sink.target.second = secondBuffer.data();
  product.run(sink);

  const std::vector<float> newWeights = download(weightBuffer), newFirsts = download(firstBuffer);
  const std::vector<float> newSeconds = download(secondBuffer);
  const std::string name = nameOf(c, false);
  for (int64_t i = 0; i < size; ++i) {
    WeightState expected{weights[i], firsts[i], seconds[i]};
    if (moves) expected = moved(rule, expected, product.gradients[i], 0.1f, step.update - births[i]);
    const double tolerance = 1e-6 + product.tolerances[i];
    bool holds = expectClose(newWeights[i], expected.weight, tolerance, name + ": weight");
    holds &= expectClose(newFirsts[i], expected.first, tolerance, name + ": first moment");
    // The square of a gradient carries its error twice, times the gradient.
    const double squareTolerance = 1e-5 + 4 * std::abs(product.gradients[i]) * product.tolerances[i];
    holds &= expectClose(newSeconds[i], expected.second, squareTolerance, name + ": second moment");
    if (!holds) return;
  }
}

TEST("block products: shapes") {
  for (const int32_t block : {8, 16, 32}) expect(hasBlockProducts(block, block), "a square block");
  expect(!hasBlockProducts(4, 4) && !hasBlockProducts(64, 64), "too small and too large");
  expect(!hasBlockProducts(8, 16) && !hasBlockProducts(1, 1), "no square, and none");
}

TEST("block SpMM: strides and ragged grids against float64") {
  for (const int32_t block : {8, 16, 32}) {
    for (const int32_t stride : {8, 24, 136}) {
      checkEverywhere({.rows = 4 * block - 3, .columns = 5 * block - 7, .block = block, .stride = stride});
    }
    checkEverywhere({.rows = 1, .columns = 1, .block = block, .density = 1, .stride = 8});
    checkEverywhere({.rows = 3 * block, .columns = 1, .block = block, .stride = 40});
    checkEverywhere({.rows = 1, .columns = 3 * block, .block = block, .stride = 40});
  }
}

TEST("block SpMM: warps that take samples of their own") {
  for (const int32_t block : {8, 16, 32}) {
    for (const int32_t stride : {24, 72, 136, 512}) {
      checkEverywhere({.rows = 3 * block,
                       .columns = 4 * block - 5,
                       .block = block,
                       .density = 0.5,
                       .stride = stride,
                       .multiprocessors = 1});
    }
  }
}

TEST("block SpMM: rows longer than a warp reads ahead") {
  for (const int32_t block : {8, 16, 32}) {
    checkEverywhere({.rows = 2 * block,
                     .columns = 67 * block,
                     .block = block,
                     .density = 0.6,
                     .stride = 136,
                     .multiprocessors = 1});
    checkEverywhere({.rows = 37 * block, .columns = 3 * block, .block = block, .density = 0.9, .stride = 40});
  }
  checkEverywhere({.rows = 16, .columns = 8 * 270, .block = 8, .stride = 8});
}

TEST("block SDDMM: strides and ragged grids against float64") {
  for (const int32_t block : {8, 16, 32}) {
    for (const bool bfloat16 : {false, true}) {
      for (const int32_t stride : {8, 24, 136, 512}) {
        for (const int multiprocessors : {1, 132}) {
          checkSddmm({.rows = 3 * block - 3,
                      .columns = 7 * block - 5,
                      .block = block,
                      .stride = stride,
                      .multiprocessors = multiprocessors},
                     bfloat16);
        }
      }
      checkSddmm({.rows = 1, .columns = 1, .block = block, .density = 1, .stride = 8}, bfloat16);
    }
  }
}

TEST("block SDDMM: rows of entries are found among many") {
  // More rows than 32 x 32, the last of them in a part that is not whole; once most of them empty.
  for (const double density : {0.02, 0.6}) {
    checkSddmm({.rows = 8 * 1100, .columns = 8, .block = 8, .density = density, .stride = 8}, false);
  }
  checkSddmm({.rows = 8 * 33, .columns = 40, .block = 8, .density = 0.5, .stride = 8}, true);
}

TEST("block SDDMM: optimizers behind it against float64") {
  UpdateRule momentum;
  momentum.kind = OptimizerKind::Sgd;
  momentum.momentum = 0.9f;
  UpdateRule adam;
  adam.kind = OptimizerKind::Adam;
  adam.beta1 = 0.5f;
  adam.beta2 = 0.25f;
  adam.epsilon = 1e-6f;
  for (const int32_t block : {8, 16, 32}) {
    const Case c{.rows = 3 * block, .columns = 5 * block, .block = block, .stride = 40};
    for (const UpdateRule& rule : {momentum, adam}) {
      checkUpdate(c, rule, true);
      checkUpdate(c, rule, false);
    }
  }
}

}  // namespace
}  // namespace espalier::cuda::test
