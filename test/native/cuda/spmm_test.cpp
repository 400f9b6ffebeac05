#include <algorithm>

#include "device/cuda/kernels/sparse_products.h"
#include "sparse_operands.h"

namespace espalier::cuda::test {
namespace {

enum class Kernel { Gather, Staged };
/// The transpose view takes its weights by index or, for 1 x 1, gathered.
enum class View { Forward, Transpose, Gathered };

const char* nameOf(Kernel kernel) {
  return kernel == Kernel::Gather ? "gather, " : "staged, ";
}
const char* nameOf(View view) {
  return view == View::Forward ? "" : view == View::Transpose ? ", transposed" : ", gathered";
}

void multiply(const Context& context, Kernel kernel, const SparseView& view, const ChunkOffsets& chunks,
              Features input, float* output, int32_t stride) {
  if (kernel == Kernel::Gather) {
    gatherSpmm(context, view, input, output, stride);
  } else {
    stagedSpmm(context, view, chunks, input, output, stride);
  }
}

struct Product {
  Product(Context& context, const SparseCase& c, Pattern host, bool bfloat16)
      : context(context),
        c(c),
        pattern(std::move(host)),
        device(context, pattern, stagedChunkColumns(context.card, c.grid.block.columns, bfloat16),
               stagedChunkColumns(context.card, c.grid.block.rows, bfloat16)) {
    Random random(static_cast<uint64_t>(7 + c.stride));
    weights = weightsOf(pattern, random);
    values = upload(context, weights);
    gathered = poisoned<float>(context, pattern.entries());
  }

  SparseView view(View which) {
    if (which == View::Forward) return device.forwardView(values.data());
    if (which == View::Transpose) return device.transposeView(values.data());
    gatherValues(context, device.valueIndex(), values.data(), gathered.data(), pattern.entries());
    return device.gatheredTransposeView(gathered.data());
  }

  std::vector<float> run(Kernel kernel, View which, const FeatureOperand& input) {
    const SparseView matrix = view(which);
    DeviceBuffer<float> output =
        poisoned<float>(context, int64_t{matrix.blockRows} * matrix.blockOutputs * c.stride);
    multiply(context, kernel, matrix,
             which == View::Forward ? device.forwardChunks() : device.transposeChunks(), input.features(),
             output.data(), c.stride);
    return download(output);
  }

  Context& context;
  const SparseCase c;
  const Pattern pattern;
  const DevicePattern device;
  std::vector<float> weights;
  DeviceBuffer<float> values;
  DeviceBuffer<float> gathered;
};

void checkProduct(const SparseCase& c, View which, bool bfloat16) {
  Context context;
  limitCard(context, c);
  Product product(context, c, raggedPattern(c.grid, c.density, 3), bfloat16);
  const bool forward = which == View::Forward;
  const Grid& grid = c.grid;
  Random random(5);
  const FeatureOperand input(
      context, random, forward ? grid.columns : grid.rows,
      forward ? grid.blockColumns() * grid.block.columns : grid.blockRows() * grid.block.rows, c.stride,
      bfloat16);
  const int64_t outputs =
      forward ? grid.blockRows() * grid.block.rows : grid.blockColumns() * grid.block.columns;
  std::vector<double> sums(outputs * c.stride), magnitudes(outputs * c.stride);
  forEachWeight(product.pattern, [&](int64_t weight, int64_t row, int64_t column, bool) {
    if (!forward) std::swap(row, column);
    for (int32_t sample = 0; sample < c.stride; ++sample) {
      const double term = double{product.weights[weight]} * input.row(column)[sample];
      sums[row * c.stride + sample] += term;
      magnitudes[row * c.stride + sample] += std::abs(term);
    }
  });
  for (const Kernel kernel : {Kernel::Gather, Kernel::Staged}) {
    const std::string name = nameOf(kernel) + test::nameOf(c, bfloat16) + nameOf(which);
    const std::vector<float> found = product.run(kernel, which, input);
    expectAllClose(found, sums, magnitudes, name);
    // Equal inputs give equal bits.
    if (forward) expect(product.run(kernel, which, input) == found, name + ": repeated");
  }
}

TEST("spmm: single weights against float64") {
  for (const SparseCase& each : plainCases()) {
    for (const bool bfloat16 : {false, true}) {
      for (const View which : {View::Forward, View::Transpose, View::Gathered})
        checkProduct(each, which, bfloat16);
    }
  }
}

TEST("spmm: blocks against float64") {
  for (const SparseCase& each : blockCases()) {
    for (const bool bfloat16 : {false, true}) {
      for (const View which : {View::Forward, View::Transpose}) checkProduct(each, which, bfloat16);
    }
  }
}

TEST("spmm: rows by the thousand, of which one is long") {
  // So many that gathering splits no row but those several times the mean.
  const SparseCase c{{2100, 320, {1, 1}}, 0.01, 8, 227 * 1024, 2};
  checkProduct(c, View::Forward, false);
}

TEST("spmm: a feature that no weight takes is not read") {
  const SparseCase c{{9, 40, {1, 1}}, 0.5, 24};
  std::vector<int64_t> positions;
  for (int64_t row = 0; row < c.grid.rows; ++row) {
    for (int64_t column = 1 + row % 3; column < c.grid.columns; column += 1 + row) {
      positions.push_back(row * c.grid.columns + column);
    }
  }
  for (const bool bfloat16 : {false, true}) {
    Context context;
    limitCard(context, c);
    Product product(context, c, Pattern::fromPositions(c.grid, positions), bfloat16);
    Random random(5);
    FeatureOperand input(context, random, c.grid.columns, c.grid.columns, c.stride, bfloat16);
    input.poison(context, 0, bfloat16);
    for (const Kernel kernel : {Kernel::Gather, Kernel::Staged}) {
      const std::vector<float> found = product.run(kernel, View::Forward, input);
      expect(std::all_of(found.begin(), found.end(), [](float value) { return std::isfinite(value); }),
             std::string(nameOf(kernel)) + "NaN where it does not belong");
    }
  }
}

TEST("spmm: a matrix without entries") {
  const SparseCase c{{5, 7, {1, 1}}, 0, 16};
  Context context;
  limitCard(context, c);
  Product product(context, c, Pattern::fromPositions(c.grid, {}), false);
  Random random(5);
  const FeatureOperand input(context, random, 7, 7, c.stride, false);
  for (const Kernel kernel : {Kernel::Gather, Kernel::Staged}) {
    expect(product.run(kernel, View::Forward, input) == std::vector<float>(5 * 16), nameOf(kernel));
  }
}

}  // namespace
}  // namespace espalier::cuda::test
