#pragma once

#include "base/aligned_buffer.h"
#include "device/device.h"

namespace espalier::bench {

/// Made-up samples with labels, in an order that is another in every epoch, as training has them.
class TrainingData {
 public:
  TrainingData(int64_t count, int64_t features, int64_t classes);

  Samples samples() const;

  /// The next `size` samples of the epoch, fewer at its end; after that a new epoch begins.
  Batch nextBatch(int64_t size);

 private:
  const int64_t features_;
  AlignedBuffer<float> values_;
  AlignedBuffer<int32_t> labels_;
  uint64_t epoch_ = 0;
  Feistel order_;
  int64_t next_ = 0;
};

}  // namespace espalier::bench
