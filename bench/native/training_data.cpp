#include "training_data.h"

#include <algorithm>

#include "numbers.h"

namespace espalier::bench {

TrainingData::TrainingData(int64_t count, int64_t features, int64_t classes)
    : features_(features),
      values_(randomNumbers(checkedProduct(count, features), 7)),
      labels_(count),
      order_(static_cast<uint64_t>(count), epoch_) {
  for (int64_t i = 0; i < count; ++i) labels_[i] = static_cast<int32_t>(i * 7919 % classes);
}

Samples TrainingData::samples() const {
  return {labels_.size(), features_, values_.data(), labels_.data(), nullptr};
}

Batch TrainingData::nextBatch(int64_t size) {
  if (next_ == labels_.size()) {
    order_ = Feistel(static_cast<uint64_t>(labels_.size()), ++epoch_);
    next_ = 0;
  }
  const Batch batch{next_, std::min(size, labels_.size() - next_), &order_};
  next_ += batch.count;
  return batch;
}

}  // namespace espalier::bench
