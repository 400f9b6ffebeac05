#include "device/cuda/kernels/sparse_products.h"

#include <optional>

#include "attempt.h"
#include "device/cuda/kernels/block_products.h"
#include "device/cuda/kernels/dense_copy.h"
#include "device/cuda/libraries/blas.h"
#include "device/cuda/libraries/cusparse_products.h"
#include "device/cuda/pattern/device_pattern.h"
#include "kernels.h"
#include "library_products.h"
#include "products.h"

namespace espalier::cuda::bench {
namespace {

/// The tools that every layer is measured with.
struct Bench {
  Context& context;
  Timer timer;
  Blas blas;
  SparseLibrary cusparse;
  Budget& budget;

  Bench(Context& context, Scale scale, Budget& budget)
      : context(context), timer(context, scale), blas(context), cusparse(context), budget(budget) {}
};

/// One pattern on the card, with weights, and what the products of any batch need beside them.
class SparseLayerBench {
 public:
  SparseLayerBench(Bench& bench, const ProductCell& cell)
      : SparseLayerBench(
            bench, cell,
            drawPattern({cell.size, cell.size, {cell.block, cell.block}}, 1 - cell.sparsity, 15)) {}

  void measureBatch(const ProductCell& cell) {
    const LayerFeatures features(context(), cell.size, cell.batch);
    const Batch batch(*this, cell, features);
    for (const ProductKind product : kProductKinds) {
      for (const Precision precision : {Precision::Float32, Precision::Tf32, Precision::Bfloat16}) {
        measureOwn(batch, product, precision);
      }
      measureLibrary(batch, product);
    }
  }

 private:
  /// What is particular to one batch size.
  struct Batch {
    Batch(SparseLayerBench& layer, const ProductCell& cell, const LayerFeatures& features)
        : cell(cell),
          features(features),
          output(layer.context().memory, features.size()),
          forward(layer.context().memory, features.size()),
          inputGradient(layer.context().memory, features.size()),
          weightGradient(layer.context().memory, layer.values_.size()) {
      layer.computeReferences(*this);
    }
    const ProductCell cell;
    const LayerFeatures& features;
    mutable DeviceBuffer<float> output;
    DeviceBuffer<float> forward, inputGradient, weightGradient;
  };

  SparseLayerBench(Bench& bench, const ProductCell& cell, const Pattern& pattern)
      : bench_(bench),
        block_(cell.block),
        matrixUnits_(hasBlockProducts(cell.block, cell.block)),
        pattern_(bench.context, pattern, chunk(false), chunk(false)),
        values_(bench.context.memory, pattern.values()),
        gathered_(bench.context.memory, pattern.values()),
        roundedValues_(bench.context.memory, block_ > 1 ? pattern.values() : 0),
        gradient_(bench.context.memory, pattern.values()) {
    // Chunks of bfloat16 features hold more columns.
    roundedPattern_.emplace(bench.context, pattern, chunk(true), chunk(true));
    fillUniform(bench.context, values_.data(), values_.size(), 16);
  }

  Context& context() const { return bench_.context; }
  int32_t chunk(bool rounded) const { return stagedChunkColumns(bench_.context.card, block_, rounded); }
  const DevicePattern& patternFor(Precision precision) const {
    return precision == Precision::Bfloat16 ? *roundedPattern_ : pattern_;
  }

  void computeReferences(Batch& batch) {
    const int64_t size = batch.cell.size;
    const SparseView view = pattern_.forwardView(values_.data());
    const Features input = batch.features.input(Precision::Float32);
    const Features outputGradient = batch.features.outputGradient(Precision::Float32);
    DeviceBuffer<float> dense(context().memory, size * size);
    dense.clear();
    scatterToDense(context(), view, dense.data());
    bench_.blas.multiply(dense.data(), nullptr, size, size, input, batch.forward.data(), batch.cell.batch,
                         Precision::Float32);
    bench_.blas.multiplyTransposed(dense.data(), nullptr, size, size, outputGradient,
                                   batch.inputGradient.data(), batch.cell.batch, Precision::Float32);
    bench_.blas.gradient(outputGradient, input, size, size, batch.cell.batch, dense.data(),
                         Precision::Float32);
    settleFromDense(context(), view, dense.data(), sink(batch.weightGradient.data()));
  }

  static GradientSink sink(float* gradient) { return {gradient, {}, {}, nullptr}; }

  Attempt attemptOf(const Batch& batch, ProductKind product, Precision precision, const char* name) {
    Attempt attempt{batch.cell, product, precision, name};
    const bool weights = product == ProductKind::WeightGradient;
    attempt.output = weights ? gradient_.data() : batch.output.data();
    attempt.reference = weights                           ? batch.weightGradient.data()
                        : product == ProductKind::Forward ? batch.forward.data()
                                                          : batch.inputGradient.data();
    attempt.size = weights ? values_.size() : batch.output.size();
    attempt.connections = values_.size();
    attempt.bytes = featureBytes(product, precision, batch.features.size()) +
                    4 * (values_.size() + pattern_.entries() + pattern_.grid().blockRows() + 1);
    return attempt;
  }

  /// A product on one of the views; single weights are brought into the order of the transpose view first, as
  /// in training, where they change in every step.
  SparseView viewOf(ProductKind product, Precision precision) {
    const DevicePattern& pattern = patternFor(precision);
    if (product != ProductKind::InputGradient) return pattern.forwardView(values_.data());
    if (block_ > 1) return pattern.transposeView(values_.data());
    gatherValues(context(), pattern.valueIndex(), values_.data(), gathered_.data(), values_.size());
    return pattern.gatheredTransposeView(gathered_.data());
  }

  void measureOwn(const Batch& batch, ProductKind product, Precision precision) {
    if (precision == Precision::Tf32 && !matrixUnits_) return;
    const Features input = batch.features.input(precision);
    const Features outputGradient = batch.features.outputGradient(precision);
    const Features source = product == ProductKind::Forward ? input : outputGradient;
    const int32_t stride = batch.cell.batch;
    float* const output = batch.output.data();
    const bool weights = product == ProductKind::WeightGradient;
    if (matrixUnits_ && precision != Precision::Float32) {
      Attempt attempt = attemptOf(batch, product, precision, "matrix units");
      attempt.make = [&, product, precision] {
        return [=, this] {
          const SparseView view = viewOf(product, precision);
          if (weights)
            return blockSddmm(context(), view, outputGradient, input, stride, sink(gradient_.data()));
          blockSpmm(context(), view, source, output, stride);
        };
      };
      return measure(context(), bench_.timer, bench_.budget, attempt);
    }
    Attempt gather = attemptOf(batch, product, precision, "gather");
    gather.make = [&, product, precision] {
      return [=, this] {
        const SparseView view = viewOf(product, precision);
        if (weights)
          return gatherSddmm(context(), view, outputGradient, input, stride, sink(gradient_.data()));
        gatherSpmm(context(), view, source, output, stride);
      };
    };
    measure(context(), bench_.timer, bench_.budget, gather);

    Attempt staged = attemptOf(batch, product, precision, "staged");
    staged.make = [&, product, precision] {
      if (weights) {
        partial_ = DeviceBuffer<float>(
            context().memory, stagedSddmmScratch(context().card, viewOf(product, precision), stride));
      }
      return [=, this] {
        const DevicePattern& pattern = patternFor(precision);
        const SparseView view = viewOf(product, precision);
        if (weights) {
          return stagedSddmm(context(), view, pattern.forwardChunks(), outputGradient, input, stride,
                             partial_.data(), sink(gradient_.data()));
        }
        const ChunkOffsets chunks =
            product == ProductKind::Forward ? pattern.forwardChunks() : pattern.transposeChunks();
        stagedSpmm(context(), view, chunks, source, output, stride);
      };
    };
    measure(context(), bench_.timer, bench_.budget, staged);
    partial_ = {};
  }

  void measureLibrary(const Batch& batch, ProductKind product) {
    if (product == ProductKind::WeightGradient) {
      if (block_ > 1 && !hasLibraryBlocks()) return;
      Attempt attempt =
          attemptOf(batch, product, Precision::Float32, block_ > 1 ? "cuSPARSE BSR" : "cuSPARSE");
      attempt.make = [&] { return librarySddmm(batch); };
      return measure(context(), bench_.timer, bench_.budget, attempt);
    }
    const auto add = [&](LibraryAlgorithm algorithm, Precision precision, const char* name) {
      Attempt attempt = attemptOf(batch, product, precision, name);
      attempt.make = [&, product, precision, algorithm] {
        return librarySpmm(batch, product, precision, algorithm);
      };
      measure(context(), bench_.timer, bench_.budget, attempt);
    };
    if (block_ == 1) {
      add(LibraryAlgorithm::CsrAlgorithm2, Precision::Float32, "cuSPARSE CSR 2");
      add(LibraryAlgorithm::CsrAlgorithm3, Precision::Float32, "cuSPARSE CSR 3");
    } else if (hasLibraryBlocks()) {
      add(LibraryAlgorithm::Bsr, Precision::Float32, "cuSPARSE BSR");
      add(LibraryAlgorithm::Bsr, Precision::Bfloat16, "cuSPARSE BSR");
    }
  }

  std::function<void()> librarySddmm(const Batch& batch) {
    const SparseView view = pattern_.forwardView(values_.data());
    const float* const outputGradient = batch.features.outputGradient(Precision::Float32).values;
    const float* const input = batch.features.input(Precision::Float32).values;
    if (block_ > 1) {
      auto sddmm = std::make_shared<LibraryBlockSddmm>(context(), bench_.cusparse, view, outputGradient,
                                                       input, batch.cell.batch, gradient_.data());
      return [=] { sddmm->run(); };
    }
    auto sddmm = std::make_shared<CusparseSddmm>(context(), bench_.cusparse, view, outputGradient, input,
                                                 batch.cell.batch, gradient_.data());
    sddmm->prepare();
    return [=] { sddmm->run(); };
  }

  /// Of the transpose view cuSPARSE gets a copy in its own order, made anew in each run: in training the
  /// weights change in every step.
  std::function<void()> librarySpmm(const Batch& batch, ProductKind product, Precision precision,
                                    LibraryAlgorithm algorithm) {
    const bool forward = product == ProductKind::Forward, rounds = precision == Precision::Bfloat16;
    const SparseView view =
        forward ? pattern_.forwardView(values_.data()) : pattern_.transposeView(values_.data());
    const float* const values = forward ? values_.data() : gathered_.data();
    const Features input =
        forward ? batch.features.input(precision) : batch.features.outputGradient(precision);
    auto spmm = std::make_shared<LibrarySpmm>(
        context(), bench_.cusparse, algorithm, view,
        LibraryOperands{values, rounds ? roundedValues_.data() : nullptr, input, batch.cell.batch},
        batch.output.data());
    return [=, this] {
      if (!forward && block_ == 1) {
        gatherValues(context(), pattern_.valueIndex(), values_.data(), gathered_.data(), values_.size());
      } else if (!forward) {
        copyInViewOrder(context(), view, gathered_.data());
      }
      if (rounds) roundToBfloat16(context(), values, roundedValues_.data(), roundedValues_.size());
      spmm->run();
    };
  }

  Bench& bench_;
  const int32_t block_;
  const bool matrixUnits_;
  const DevicePattern pattern_;
  std::optional<const DevicePattern> roundedPattern_;
  DeviceBuffer<float> values_;
  /// The weights in the order of the transpose view.
  DeviceBuffer<float> gathered_;
  DeviceBuffer<__nv_bfloat16> roundedValues_;
  DeviceBuffer<float> gradient_;
  DeviceBuffer<float> partial_;
};

void measureCells(Context& context, const std::vector<ProductCell>& cells, Scale scale, Budget& budget) {
  Bench bench(context, scale, budget);
  std::unique_ptr<SparseLayerBench> layer;
  ProductCell laid;
  for (const ProductCell& cell : cells) {
    if (!budget.allows(cell.name())) continue;
    guarded(context, cell.name(), [&] {
      if (layer == nullptr || !laid.samePattern(cell)) {
        layer.reset();
        layer = std::make_unique<SparseLayerBench>(bench, cell);
        laid = cell;
      }
      layer->measureBatch(cell);
    });
  }
}

}  // namespace

void measureSparseProducts(Context& context, const Options& options, Budget& budget) {
  measureCells(context, sparseCells(options.scale), options.scale, budget);
}

void measureBlockProducts(Context& context, const Options& options, Budget& budget) {
  measureCells(context, blockCells(options.scale), options.scale, budget);
}

}  // namespace espalier::cuda::bench
