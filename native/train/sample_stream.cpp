#include "train/sample_stream.h"

#include <algorithm>
#include <utility>

#include "train/network.h"

namespace espalier {

SampleStream::SampleStream(const Shape& shape, int64_t first) : shape_(shape), position_(first) {
  require(shape.samplesPerEpoch > 0 && shape.batchSize > 0 && shape.prefetch > 0 && shape.features > 0,
          ErrorCode::Option, "a stream needs samples, a batch size and room for a batch");
  require(first >= 0 && first < shape.samplesPerEpoch, ErrorCode::Option,
          "the progress to resume lies beyond an epoch of this stream");
  const int64_t size = std::min(shape.batchSize, shape.samplesPerEpoch);
  // One more, which the run works on.
  buffers_.resize(static_cast<size_t>(shape.prefetch) + 1);
  for (Buffer& buffer : buffers_) {
    buffer.values = AlignedBuffer<float>(checkedProduct(size, shape.features));
    buffer.labels = AlignedBuffer<int32_t>(size);
    free_.push_back(free_.size());
  }
}

bool SampleStream::labelled() const {
  const std::lock_guard lock(mutex_);
  return labelled_ == 1;
}

bool SampleStream::ready() const {
  const std::lock_guard lock(mutex_);
  return filled_.size() > (given_ ? 1 : 0);
}

int64_t SampleStream::room() const {
  if (free_.empty()) return 0;
  const int64_t begun = buffers_[free_.back()].count;
  return std::min(shape_.batchSize - begun, shape_.samplesPerEpoch - position_);
}

int64_t SampleStream::put(const Samples& samples) {
  int64_t taken = 0;
  bool completed = false;
  {
    const std::lock_guard lock(mutex_);
    const int labelled = samples.labels != nullptr ? 1 : 0;
    require(labelled_ == -1 || labelled_ == labelled, ErrorCode::Data,
            "some samples of the stream have labels and others have targets");
    if (labelled_ == -1 && labelled == 0) {
      for (Buffer& buffer : buffers_)
        buffer.targets = AlignedBuffer<float>(checkedProduct(buffer.labels.size(), shape_.outputs));
    }
    labelled_ = labelled;
    for (int64_t count = 0; (count = std::min(samples.count - taken, room())) > 0; taken += count) {
      append(samples, taken, count);
      if (room() > 0) continue;
      filled_.push_back(free_.back());
      free_.pop_back();
      completed = true;
      if (position_ == shape_.samplesPerEpoch) position_ = 0;
    }
    wantsRoom_ = taken < samples.count;
  }
  if (completed && listener_.ready) listener_.ready();
  return taken;
}

void SampleStream::append(const Samples& samples, int64_t first, int64_t count) {
  Buffer& buffer = buffers_[free_.back()];
  std::copy_n(samples.values + first * shape_.features, count * shape_.features,
              buffer.values.data() + buffer.count * shape_.features);
  if (samples.labels != nullptr) {
    std::copy_n(samples.labels + first, count, buffer.labels.data() + buffer.count);
  } else {
    std::copy_n(samples.targets + first * shape_.outputs, count * shape_.outputs,
                buffer.targets.data() + buffer.count * shape_.outputs);
  }
  buffer.count += count;
  position_ += count;
}

SourceBatch SampleStream::front(int64_t count) {
  const Buffer& buffer = buffers_[filled_.front()];
  require(buffer.count == count, ErrorCode::Internal, "a batch of the stream has another size");
  samples_ = {count, shape_.features, buffer.values.data(), nullptr, nullptr};
  samples_.passing = true;
  if (labelled_ == 1) {
    samples_.labels = buffer.labels.data();
  } else {
    samples_.targets = buffer.targets.data();
  }
  return {samples_, {0, count, nullptr}};
}

SourceBatch SampleStream::next(int64_t, int64_t count) {
  bool tellRoom = false;
  const auto given = [&] {
    const std::lock_guard lock(mutex_);
    if (given_) {
      buffers_[filled_.front()].count = 0;
      free_.insert(free_.begin(), filled_.front());
      filled_.pop_front();
      tellRoom = std::exchange(wantsRoom_, false);
    }
    require(!filled_.empty(), ErrorCode::Internal, "the stream was asked for a batch that is not there");
    given_ = true;
    return front(count);
  }();
  if (tellRoom && listener_.room) listener_.room();
  checkSamples(samples_, shape_.features, shape_.outputs, true);
  return given;
}

SourceBatch SampleStream::peek(int64_t count) {
  const std::lock_guard lock(mutex_);
  require(!filled_.empty(), ErrorCode::Internal, "the stream was asked for a batch that is not there");
  return front(count);
}

}  // namespace espalier
