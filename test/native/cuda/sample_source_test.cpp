// Batches that lie on the card and batches that are streamed to it are the same batches.

#include "device/cuda/sample_source.h"

#include <algorithm>
#include <vector>

#include "device/cuda/kernels/samples.h"
#include "support.h"

namespace espalier::cuda::test {
namespace {

constexpr int64_t kCount = 50, kFeatures = 9, kOutputs = 3, kBatch = 16;

struct Data {
  Data() : values(kCount * kFeatures), labels(kCount), targets(kCount * kOutputs) {
    Random random(3);
    for (float& value : values) value = random.uniform();
    for (int32_t& label : labels) label = static_cast<int32_t>(random.below(kOutputs));
    for (float& target : targets) target = random.uniform();
  }
  Samples samples(bool withLabels) const {
    return {kCount, kFeatures, values.data(), withLabels ? labels.data() : nullptr,
            withLabels ? nullptr : targets.data()};
  }

  std::vector<float> values;
  std::vector<int32_t> labels;
  std::vector<float> targets;
};

/// Walks an epoch, and checks what kernels find at every batch.
void walk(double largestShare, bool shuffled, bool withLabels) {
  Context context;
  const Data data;
  SampleSource source(context, kBatch, kOutputs, largestShare);
  DeviceBuffer<StepParameters> step(context.memory, 1);
  const Feistel order(kCount, 9);
  for (int64_t first = 0; first < kCount; first += kBatch) {
    const Batch batch{first, std::min(kBatch, kCount - first), shuffled ? &order : nullptr};
    StepParameters parameters;
    source.locate(data.samples(withLabels), batch, parameters);
    setStep(context, parameters, step.data());
    DeviceBuffer<float> input = poisoned<float>(context, kFeatures * kBatch);
    gatherBatch(context, step.data(), kFeatures, {input.data(), nullptr}, kBatch);
    source.release();
    const std::vector<float> found = download(input);
    for (int64_t i = 0; i < kBatch; ++i) {
      for (int64_t f = 0; f < kFeatures; ++f) {
        const float wanted = i < batch.count ? data.values[batch.sample(i) * kFeatures + f] : 0.0f;
        expect(found[f * kBatch + i] == wanted, "a feature of a sample");
      }
    }
    expect((parameters.labels != nullptr) == withLabels, "labels where the samples have them");
    expect((parameters.targets != nullptr) == !withLabels, "targets where the samples have them");
    for (int32_t i = 0; i < batch.count; ++i) {
      const int64_t row = parameters.row(i);
      if (withLabels) {
        int32_t label = -1;
        check(cudaMemcpy(&label, parameters.labels + row, sizeof label, cudaMemcpyDeviceToHost), "read");
        expect(label == data.labels[batch.sample(i)], "a label");
      } else {
        float target = -9;
        check(cudaMemcpy(&target, parameters.targets + row * kOutputs, sizeof target, cudaMemcpyDeviceToHost),
              "read");
        expect(target == data.targets[batch.sample(i) * kOutputs], "a target");
      }
    }
  }
}

}  // namespace

TEST("samples: batches from a data set on the card") {
  walk(0.5, false, true);
  walk(0.5, true, true);
  walk(0.5, true, false);
}

TEST("samples: batches streamed to the card") {
  walk(0, false, true);
  walk(0, true, true);
  walk(0, true, false);
}

}  // namespace espalier::cuda::test
