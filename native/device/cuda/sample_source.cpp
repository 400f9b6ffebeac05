#include "device/cuda/sample_source.h"

#include <algorithm>

namespace espalier::cuda {
namespace {

int64_t bytesOf(const Samples& samples, int64_t outputs) {
  int64_t numbers = checkedProduct(samples.count, samples.features);
  if (samples.labels != nullptr) numbers += samples.count;
  if (samples.targets != nullptr) numbers += checkedProduct(samples.count, outputs);
  return checkedProduct(numbers, sizeof(float));
}

/// The arrays of a set or of a batch; labels and targets where the samples have them.
template <template <typename> typename Buffer>
struct Arrays {
  Buffer<float> values;
  Buffer<int32_t> labels;
  Buffer<float> targets;
};

void copyToCard(const Stream& stream, void* to, const void* from, int64_t bytes) {
  check(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, stream.get()),
        "copy samples to the GPU");
}

}  // namespace

struct SampleSource::Resident : Arrays<DeviceBuffer> {
  Resident(DeviceMemory& memory, const Samples& samples, int64_t outputs) {
    values = DeviceBuffer<float>(memory, samples.count * samples.features);
    values.upload({samples.values, static_cast<size_t>(values.size())});
    if (samples.labels != nullptr) {
      labels = DeviceBuffer<int32_t>(memory, samples.count);
      labels.upload({samples.labels, static_cast<size_t>(labels.size())});
    }
    if (samples.targets != nullptr) {
      targets = DeviceBuffer<float>(memory, samples.count * outputs);
      targets.upload({samples.targets, static_cast<size_t>(targets.size())});
    }
  }
};

/// One batch on its way.
struct SampleSource::Slot {
  Slot(DeviceMemory& memory, int64_t batchSize, int64_t features, int64_t outputs)
      : host{PinnedBuffer<float>(batchSize * features), PinnedBuffer<int32_t>(batchSize),
             PinnedBuffer<float>(batchSize * outputs)},
        card{DeviceBuffer<float>(memory, batchSize * features), DeviceBuffer<int32_t>(memory, batchSize),
             DeviceBuffer<float>(memory, batchSize * outputs)} {}

  Arrays<PinnedBuffer> host;
  Arrays<DeviceBuffer> card;
  /// The copies to the card are done, and the kernels that read them.
  Event arrived;
  Event consumed;
};

SampleSource::SampleSource(Context& context, int64_t batchSize, int64_t outputs, double largestShare)
    : context_(context), batchSize_(batchSize), outputs_(outputs), largestShare_(largestShare) {}

SampleSource::~SampleSource() {
  (void)cudaStreamSynchronize(copies_.get());
}

bool SampleSource::fits(const Samples& samples) const {
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "ask for free memory");
  return static_cast<double>(bytesOf(samples, outputs_)) <= largestShare_ * static_cast<double>(free);
}

const SampleSource::Known& SampleSource::know(const Samples& samples) {
  const auto found = std::ranges::find_if(known_, [&](const Known& known) {
    return known.values == samples.values && known.count == samples.count;
  });
  if (found != known_.end()) return *found;
  Known known{samples.values, samples.count, nullptr};
  if (fits(samples)) known.resident = std::make_unique<Resident>(context_.memory, samples, outputs_);
  return known_.emplace_back(std::move(known));
}

void SampleSource::locate(const Samples& samples, const Batch& batch, StepParameters& parameters) {
  require(batch.count > 0 && batch.count <= batchSize_, ErrorCode::Internal, "a batch beyond its size");
  parameters.count = static_cast<int32_t>(batch.count);
  const Resident* const resident = samples.passing ? nullptr : know(samples).resident.get();
  if (resident == nullptr) {
    stream(samples, batch, parameters);
    return;
  }
  parameters.first = batch.first;
  parameters.shuffled = batch.order != nullptr;
  if (parameters.shuffled) parameters.order = *batch.order;
  parameters.values = resident->values.data();
  parameters.labels = resident->labels.data();
  parameters.targets = resident->targets.data();
}

void SampleSource::stream(const Samples& samples, const Batch& batch, StepParameters& parameters) {
  const int64_t features = samples.features;
  std::unique_ptr<Slot>& slot = slots_[nextSlot_];
  nextSlot_ = (nextSlot_ + 1) % slots_.size();
  if (slot == nullptr) {
    slot = std::make_unique<Slot>(context_.memory, batchSize_, features, outputs_);
    // Its memory came in the order of the other stream.
    slot->consumed.record(context_.stream);
  }

  slot->arrived.synchronize();
  for (int64_t i = 0; i < batch.count; ++i) {
    const int64_t sample = batch.sample(i);
    std::copy_n(samples.values + sample * features, features, slot->host.values.data() + i * features);
    if (samples.labels != nullptr) slot->host.labels[i] = samples.labels[sample];
    if (samples.targets != nullptr) {
      std::copy_n(samples.targets + sample * outputs_, outputs_, slot->host.targets.data() + i * outputs_);
    }
  }

  slot->consumed.holdBack(copies_);
  copyToCard(copies_, slot->card.values.data(), slot->host.values.data(),
             batch.count * features * int64_t{sizeof(float)});
  if (samples.labels != nullptr) {
    copyToCard(copies_, slot->card.labels.data(), slot->host.labels.data(),
               batch.count * int64_t{sizeof(int32_t)});
  }
  if (samples.targets != nullptr) {
    copyToCard(copies_, slot->card.targets.data(), slot->host.targets.data(),
               batch.count * outputs_ * int64_t{sizeof(float)});
  }
  slot->arrived.record(copies_);
  slot->arrived.holdBack(context_.stream);

  parameters.first = 0;
  parameters.shuffled = false;
  parameters.values = slot->card.values.data();
  parameters.labels = samples.labels != nullptr ? slot->card.labels.data() : nullptr;
  parameters.targets = samples.targets != nullptr ? slot->card.targets.data() : nullptr;
  inUse_ = slot.get();
}

void SampleSource::forget() {
  context_.stream.synchronize();
  known_.clear();
}

void SampleSource::release() {
  if (inUse_ != nullptr) inUse_->consumed.record(context_.stream);
  inUse_ = nullptr;
}

}  // namespace espalier::cuda
