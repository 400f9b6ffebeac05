#pragma once

#include <cstdint>
#include <optional>

#include "base/random.h"
#include "device/device.h"

namespace espalier {

/// A batch and the samples that it is of, which stay until the next one is asked for.
struct SourceBatch {
  const Samples& samples;
  Batch batch;
};

/// Where the batches of a run come from.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual int64_t samplesPerEpoch() const = 0;
  /// Whether samples have a class each, so that right answers can be counted.
  virtual bool labelled() const = 0;
  virtual void beginEpoch(int64_t epoch) = 0;
  /// Whether next() has what it gives. Any thread may ask.
  virtual bool ready() const = 0;
  /// `count` samples of the epoch under way from the place `first` on; they follow those given last.
  virtual SourceBatch next(int64_t first, int64_t count) = 0;
  /// What next() will give as the first of a run that begins.
  virtual SourceBatch peek(int64_t count) = 0;
};

/// Samples that are all there.
class ResidentSource final : public BatchSource {
 public:
  /// seed: of the order of an epoch's samples; none: as they lie.
  ResidentSource(const Samples& samples, std::optional<uint64_t> seed) : samples_(samples), seed_(seed) {}

  int64_t samplesPerEpoch() const override { return samples_.count; }
  bool labelled() const override { return samples_.labels != nullptr; }
  void beginEpoch(int64_t epoch) override {
    if (!seed_) return;
    order_.emplace(static_cast<uint64_t>(samples_.count),
                   deriveSeed(*seed_, RandomPurpose::Shuffle, 0, static_cast<uint64_t>(epoch)));
  }
  bool ready() const override { return true; }
  SourceBatch next(int64_t first, int64_t count) override {
    return {samples_, {first, count, order_ ? &*order_ : nullptr}};
  }
  SourceBatch peek(int64_t count) override {
    beginEpoch(0);
    return next(0, count);
  }

 private:
  const Samples& samples_;
  const std::optional<uint64_t> seed_;
  /// Outlives the steps of its epoch that a device still has to do.
  std::optional<Feistel> order_;
};

}  // namespace espalier
