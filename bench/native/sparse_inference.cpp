#include "inference.h"
#include "numbers.h"
#include "sparse_state.h"

namespace espalier::bench {
namespace {

class SparseInference final : public Workload {
 public:
  SparseInference(const NetworkShape& shape, const SparseShape& sparse, Precision precision)
      : network_(sparseState(shape, sparse, false)),
        batch_(shape.batch),
        values_(randomNumbers(checkedProduct(shape.batch, shape.sizes.front()), 7)),
        outputs_(checkedProduct(shape.batch, shape.sizes.back())) {
    DeviceSettings settings;
    settings.threads = shape.threads;
    settings.precision = precision;
    device_ = makeCpuDevice(network_, settings);
  }

  void run() override {
    const Samples samples{batch_, network_.description.inputs, values_.data(), nullptr, nullptr};
    device_->predict(samples, outputs_.span());
  }

 private:
  NetworkState network_;
  const int64_t batch_;
  const AlignedBuffer<float> values_;
  AlignedBuffer<float> outputs_;
  std::unique_ptr<Device> device_;
};

}  // namespace

std::unique_ptr<Workload> sparseInference(const NetworkShape& shape, const SparseShape& sparse,
                                          Precision precision) {
  return std::make_unique<SparseInference>(shape, sparse, precision);
}

}  // namespace espalier::bench
