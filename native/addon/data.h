#pragma once

#include <napi.h>

#include <cstdint>

#include "addon/input.h"
#include "base/memory.h"
#include "device/device.h"

namespace espalier::addon {

/// Samples as they lie in JavaScript's memory: valid until JavaScript runs again.
/// input: NativeData. Throws Error(Data) where it does not fit a network of so many inputs and outputs.
Samples viewSamples(const Input& input, int64_t inputs, int64_t outputs);

/// Samples from JavaScript that a long call may read on another thread. Values on a SharedArrayBuffer are
/// used in place, and the array is referred to until this is destroyed, on the JavaScript thread; values on
/// any other buffer, labels and targets are copied. What the numbers say is checked by the core, on the
/// thread that reads them.
class Data {
 public:
  /// See viewSamples().
  Data(const Input& input, int64_t inputs, int64_t outputs);
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;

  const Samples& samples() const { return samples_; }

 private:
  Data(const Input& input, const Input& values, int64_t inputs, int64_t outputs);

  Samples samples_;
  Array<float> values_;
  Array<int32_t> labels_;
  Array<float> targets_;
  Napi::ObjectReference kept_;
};

}  // namespace espalier::addon
