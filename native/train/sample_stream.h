#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "base/aligned_buffer.h"
#include "train/batch_source.h"

namespace espalier {

/// Samples that come piece by piece while a run trains. One thread puts them in, in pieces of any size;
/// another takes them out as batches. As many batches as `prefetch` says lie ready at most.
class SampleStream final : public BatchSource {
 public:
  struct Shape {
    int64_t features = 0;
    int64_t outputs = 0;
    int64_t batchSize = 0;
    int64_t samplesPerEpoch = 0;
    int64_t prefetch = 0;
  };
  /// What it tells. Each is called on the thread that made it happen.
  struct Listener {
    /// A batch is ready.
    std::function<void()> ready;
    /// There is room again, after put() took less than it was given.
    std::function<void()> room;
  };

  /// first: the place in its epoch of the first sample to come.
  SampleStream(const Shape& shape, int64_t first);

  /// Before anything is put in or taken.
  void listen(Listener listener) { listener_ = std::move(listener); }

  /// Copies as many of the samples as there is room for and says how many. Throws Error(Data) where some have
  /// labels and others targets. next() throws it for numbers that are not finite or labels out of range.
  int64_t put(const Samples& samples);

  int64_t samplesPerEpoch() const override { return shape_.samplesPerEpoch; }
  bool labelled() const override;
  void beginEpoch(int64_t) override {}
  bool ready() const override;
  SourceBatch next(int64_t first, int64_t count) override;
  SourceBatch peek(int64_t count) override;

 private:
  struct Buffer {
    AlignedBuffer<float> values;
    AlignedBuffer<int32_t> labels;
    AlignedBuffer<float> targets;
    int64_t count = 0;
  };

  /// Room in the buffer that is being filled.
  int64_t room() const;
  void append(const Samples& samples, int64_t first, int64_t count);
  /// As the batch in front, which must be there.
  SourceBatch front(int64_t count);

  const Shape shape_;
  Listener listener_;
  mutable std::mutex mutex_;
  std::vector<Buffer> buffers_;
  /// Places in buffers_. The last of free_ is filled next; a batch that was given stays in front until the
  /// next one is asked for.
  std::vector<size_t> free_;
  std::deque<size_t> filled_;
  bool given_ = false;
  /// Samples of the epoch that were put in.
  int64_t position_;
  /// -1 before the first sample: not known.
  int labelled_ = -1;
  bool wantsRoom_ = false;
  Samples samples_;
};

}  // namespace espalier
