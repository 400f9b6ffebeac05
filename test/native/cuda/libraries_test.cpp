#include <chrono>
#include <cmath>
#include <future>
#include <memory>
#include <string>

#include "device/cuda/libraries/blas.h"
#include "device/cuda/libraries/cusparse_products.h"
#include "feature_buffers.h"

namespace espalier::cuda::test {
namespace {

/// A row-major matrix on both sides, with its bfloat16 copy.
struct Matrix {
  Matrix(Context& context, Random& random, int64_t rows, int64_t columns)
      : rows(rows), columns(columns), values(randomValues(random, rows * columns, 1)) {
    std::vector<uint16_t> bits;
    for (const float value : values) bits.push_back(roundedBits(value));
    onCard = upload(context, values);
    rounded = upload(context, bits);
  }
  const __nv_bfloat16* roundedCopy() const { return reinterpret_cast<const __nv_bfloat16*>(rounded.data()); }
  Features features() const { return {onCard.data(), roundedCopy()}; }
  /// What a product in this precision takes for the element; TF32 is left to the tolerance.
  double at(int64_t row, int64_t column, Precision precision) const {
    const float value = values[static_cast<size_t>(row * columns + column)];
    return precision == Precision::Bfloat16 ? fromRoundedBits(roundedBits(value)) : value;
  }

  int64_t rows, columns;
  std::vector<float> values;
  DeviceBuffer<float> onCard;
  DeviceBuffer<uint16_t> rounded;
};

/// Expects result[rows x columns] = sum over depth of term(row, column, d).
template <typename Term>
void expectProduct(const DeviceBuffer<float>& result, int64_t rows, int64_t columns, int64_t depth,
                   Precision precision, const std::string& name, const Term& term) {
  const std::vector<float> values = download(result);
  // TF32 keeps 10 bits of each operand.
  const double tolerance =
      (precision == Precision::Tf32 ? 2e-3 : 2e-6) * std::sqrt(static_cast<double>(depth));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      double sum = 0;
      for (int64_t d = 0; d < depth; ++d) sum += term(row, column, d);
      expectClose(values[static_cast<size_t>(row * columns + column)], sum, tolerance, name);
    }
  }
}

void checkBlas(Context& context, Blas& blas, int64_t outputs, int64_t inputs, int64_t stride, Precision p) {
  Random random(8);
  const std::string name = "cuBLAS " + std::to_string(outputs) + " x " + std::to_string(inputs) + " x " +
                           std::to_string(stride) + ", precision " + std::to_string(static_cast<int>(p));
  const Matrix weight(context, random, outputs, inputs), x(context, random, inputs, stride);
  const Matrix dy(context, random, outputs, stride);
  DeviceBuffer<float> y = poisoned<float>(context, outputs * stride);
  blas.multiply(weight.onCard.data(), weight.roundedCopy(), outputs, inputs, x.features(), y.data(), stride,
                p);
  expectProduct(y, outputs, stride, inputs, p, name + ", forward",
                [&](int64_t o, int64_t s, int64_t i) { return weight.at(o, i, p) * x.at(i, s, p); });
  DeviceBuffer<float> dx = poisoned<float>(context, inputs * stride);
  blas.multiplyTransposed(weight.onCard.data(), weight.roundedCopy(), outputs, inputs, dy.features(),
                          dx.data(), stride, p);
  expectProduct(dx, inputs, stride, outputs, p, name + ", input gradient",
                [&](int64_t i, int64_t s, int64_t o) { return weight.at(o, i, p) * dy.at(o, s, p); });
  DeviceBuffer<float> dw = poisoned<float>(context, outputs * inputs);
  blas.gradient(dy.features(), x.features(), outputs, inputs, stride, dw.data(), p);
  expectProduct(dw, outputs, inputs, stride, p, name + ", weight gradient",
                [&](int64_t o, int64_t i, int64_t s) { return dy.at(o, s, p) * x.at(i, s, p); });
}

TEST("libraries: dense products by cuBLAS against float64") {
  Context context;
  Blas blas(context);
  for (const Precision precision : {Precision::Float32, Precision::Tf32, Precision::Bfloat16}) {
    for (const int64_t stride : {8, 40, 136}) {
      checkBlas(context, blas, 10, 33, stride, precision);
      checkBlas(context, blas, 1, 7, stride, precision);
      checkBlas(context, blas, 17, 1, stride, precision);
    }
  }
}

TEST("libraries: what cuBLAS cannot take is an error") {
  Context context;
  Blas blas(context);
  DeviceBuffer<float> one = poisoned<float>(context, 64);
  const Features features{one.data(), nullptr};
  expectError(
      ErrorCode::Device,
      [&] {
        blas.multiply(one.data(), nullptr, int64_t{1} << 31, 1, features, one.data(), 8, Precision::Float32);
      },
      "2^31 rows");
  expectError(
      ErrorCode::Internal,
      [&] { blas.multiply(one.data(), nullptr, 1, 1, features, one.data(), 8, Precision::Bfloat16); },
      "bfloat16 without rounded operands");
}

/// A CSR matrix of 1 x 1 blocks on both sides, which can be laid anew with as many entries.
struct SparseMatrix {
  SparseMatrix(Context& context, Random& random, const Grid& grid) : grid(grid) {
    const Pattern pattern = raggedPattern(grid, 0.3, 4);
    offsets.assign(pattern.rowOffsets().begin(), pattern.rowOffsets().end());
    columns.assign(pattern.columns().begin(), pattern.columns().end());
    values = randomValues(random, pattern.entries(), 1);
    offsetsOnCard = upload(context, offsets);
    columnsOnCard = upload(context, columns);
    valuesOnCard = upload(context, values);
    view.offsets = offsetsOnCard.data();
    view.indices = columnsOnCard.data();
    view.values = valuesOnCard.data();
    view.blockRows = static_cast<int32_t>(grid.rows);
    view.blockColumns = static_cast<int32_t>(grid.columns);
    view.entries = static_cast<int32_t>(pattern.entries());
  }
  /// Turns the rows around, so that the empty ones lie elsewhere, and mirrors the columns; in place on the
  /// card.
  void turn() {
    std::vector<int32_t> newOffsets{0}, newColumns;
    for (int64_t row = grid.rows - 1; row >= 0; --row) {
      for (int32_t e = offsets[row + 1] - 1; e >= offsets[row]; --e) {
        newColumns.push_back(static_cast<int32_t>(grid.columns) - 1 - columns[e]);
      }
      newOffsets.push_back(static_cast<int32_t>(newColumns.size()));
    }
    offsets = newOffsets;
    columns = newColumns;
    offsetsOnCard.upload(offsets);
    columnsOnCard.upload(columns);
  }

  Grid grid;
  std::vector<int32_t> offsets, columns;
  std::vector<float> values;
  DeviceBuffer<int32_t> offsetsOnCard, columnsOnCard;
  DeviceBuffer<float> valuesOnCard;
  SparseView view;
};

void checkSpmm(Context& context, SparseLibrary& library, const Grid& grid, int64_t stride) {
  Random random(9);
  const std::string name = "cuSPARSE SpMM " + std::to_string(grid.rows) + " x " +
                           std::to_string(grid.columns) + " x " + std::to_string(stride);
  SparseMatrix matrix(context, random, grid);
  const Matrix x(context, random, grid.columns, stride);
  DeviceBuffer<float> y = poisoned<float>(context, grid.rows * stride);
  CusparseSpmm product(context, library, matrix.view, x.onCard.data(), y.data(), stride);
  for (int round = 0; round < 2; ++round) {
    if (round == 1) matrix.turn();
    product.prepare();
    // Weights move between runs without another analysis.
    for (float& value : matrix.values) value += 0.5f;
    matrix.valuesOnCard.upload(matrix.values);
    product.run();
    const std::vector<float> result = download(y);
    for (int64_t row = 0; row < grid.rows; ++row) {
      for (int64_t s = 0; s < stride; ++s) {
        double sum = 0;
        for (int32_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
          sum += double{matrix.values[e]} * x.at(matrix.columns[e], s, Precision::Float32);
        }
        expectClose(result[row * stride + s], sum, 1e-5, name);
      }
    }
    product.run();
    expect(download(y) == result, name + ": repeatable");
  }
}

void checkSddmm(Context& context, SparseLibrary& library, const Grid& grid, int64_t stride) {
  Random random(10);
  const std::string name = "cuSPARSE SDDMM " + std::to_string(grid.rows) + " x " +
                           std::to_string(grid.columns) + " x " + std::to_string(stride);
  SparseMatrix matrix(context, random, grid);
  const Matrix x(context, random, grid.columns, stride), dy(context, random, grid.rows, stride);
  auto gradient = upload(context, std::vector<float>(static_cast<size_t>(matrix.view.entries)));
  CusparseSddmm product(context, library, matrix.view, dy.onCard.data(), x.onCard.data(), stride,
                        gradient.data());
  for (int round = 0; round < 2; ++round) {
    if (round == 1) matrix.turn();
    product.prepare();
    product.run();
    const std::vector<float> result = download(gradient);
    for (int64_t row = 0; row < grid.rows; ++row) {
      for (int32_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
        double sum = 0;
        for (int64_t s = 0; s < stride; ++s) {
          sum += dy.at(row, s, Precision::Float32) * x.at(matrix.columns[e], s, Precision::Float32);
        }
        expectClose(result[e], sum, 2e-6 * std::sqrt(static_cast<double>(stride)), name);
      }
    }
  }
}

TEST("libraries: sparse products by cuSPARSE against float64") {
  Context context;
  SparseLibrary library(context);
  expect(library.version() >= 12000, "cuSPARSE tells its version");
  for (const int64_t stride : {8, 40, 136}) {
    for (const Grid grid : {Grid{33, 50, {1, 1}}, Grid{1, 9, {1, 1}}, Grid{20, 1, {1, 1}}}) {
      checkSpmm(context, library, grid, stride);
      checkSddmm(context, library, grid, stride);
    }
  }
}

TEST("libraries: cuSPARSE takes plain blocks only") {
  Context context;
  SparseLibrary library(context);
  DeviceBuffer<float> buffer = poisoned<float>(context, 64);
  SparseView view;
  view.blockRows = view.blockColumns = 1;
  view.blockOutputs = 8;
  expectError(
      ErrorCode::Internal, [&] { CusparseSpmm(context, library, view, buffer.data(), buffer.data(), 8); },
      "blocks of 8 x 1");
}

TEST("libraries: their end leaves alone what another thread captures") {
  Context context, other;
  auto blas = std::make_unique<Blas>(other);
  auto sparse = std::make_unique<SparseLibrary>(other);
  auto pinned = PinnedBuffer<float>(16);
  DeviceBuffer<float> buffer = poisoned<float>(context, 4);
  std::future<void> ended;
  const Graph graph(context.stream, [&] {
    buffer.clear();
    ended = std::async(std::launch::async, [&] {
      blas.reset();
      sparse.reset();
      pinned = {};
    });
    // It has to wait for the capture's end.
    ended.wait_for(std::chrono::milliseconds(50));
  });
  ended.get();
  graph.launch(context.stream);
  expect(download(buffer) == std::vector<float>(4), "the graph does what was captured");
}

}  // namespace
}  // namespace espalier::cuda::test
