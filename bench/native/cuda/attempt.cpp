#include "attempt.h"

#include "device/cuda/kernels/dense_copy.h"
#include "kernels.h"

namespace espalier::cuda::bench {

const char* nameOf(ProductKind kind) {
  switch (kind) {
    case ProductKind::Forward:
      return "forward";
    case ProductKind::InputGradient:
      return "inputGradient";
    default:
      return "weightGradient";
  }
}

const char* nameOf(Precision precision) {
  switch (precision) {
    case Precision::Float32:
      return "float32";
    case Precision::Tf32:
      return "tf32";
    default:
      return "bfloat16";
  }
}

void measure(Context& context, Timer& timer, Budget& budget, const Attempt& attempt) {
  const std::string name = attempt.cell.name() + ", " + nameOf(attempt.product) + ", " +
                           attempt.implementation + ", " + nameOf(attempt.precision);
  if (!budget.allows(name)) return;
  guarded(context, name, [&] {
    const std::function<void()> run = attempt.make();
    // Large, but numbers: a library may multiply what it finds by 0.
    check(cudaMemsetAsync(attempt.output, 0x7F, static_cast<size_t>(attempt.size) * sizeof(float),
                          context.stream.get()),
          "poison an output");
    run();
    const double error = relativeDifference(context, attempt.output, attempt.reference, attempt.size);
    const Timing timing = timer.time(run);
    Record record("product");
    record.add("size", attempt.cell.size)
        .add("batch", attempt.cell.batch)
        .add("sparsity", attempt.cell.sparsity)
        .add("block", attempt.cell.block)
        .add("product", nameOf(attempt.product))
        .add("precision", nameOf(attempt.precision))
        .add("implementation", attempt.implementation);
    timing.addTo(record);
    record.add("connections", attempt.connections).add("bytes", attempt.bytes).add("error", error).print();
  });
}

LayerFeatures::LayerFeatures(Context& context, int64_t size, int32_t stride)
    : input_(context.memory, size * stride),
      gradient_(context.memory, size * stride),
      roundedInput_(context.memory, size * stride),
      roundedGradient_(context.memory, size * stride) {
  fillUniform(context, input_.data(), input_.size(), 11);
  fillUniform(context, gradient_.data(), gradient_.size(), 12);
  roundToBfloat16(context, input_.data(), roundedInput_.data(), input_.size());
  roundToBfloat16(context, gradient_.data(), roundedGradient_.data(), gradient_.size());
}

int64_t featureBytes(ProductKind product, Precision precision, int64_t featureNumbers) {
  const int64_t read = precision == Precision::Bfloat16 ? 2 : 4;
  return featureNumbers * (product == ProductKind::WeightGradient ? 2 * read : read + 4);
}

}  // namespace espalier::cuda::bench
