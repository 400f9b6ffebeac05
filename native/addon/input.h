#pragma once

#include <napi.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace espalier::addon {

/// A value from JavaScript together with what a message calls it, such as `layers[2].block`. Every accessor
/// checks what it gives out and throws Error(Option) that says what was expected.
class Input {
 public:
  Input(Napi::Value value, std::string name) : value_(value), name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  Napi::Value value() const { return value_; }
  bool isNull() const { return value_.IsNull() || value_.IsUndefined(); }

  /// A property of an object.
  Input at(const char* key) const;
  /// The elements of an array; `count` of them where it is not negative.
  std::vector<Input> items(int64_t count = -1) const;

  double number() const;
  double numberWithin(double lowest, double highest) const;
  /// 0 <= number < 1.
  double shareBelowOne() const;
  int64_t integer(int64_t lowest, int64_t highest) const;
  /// 0 to 2^53 - 1.
  uint64_t seed() const;
  /// Number of threads, 1 to 1024.
  int threads() const;
  bool boolean() const;
  std::string text() const;

  template <typename T>
  T choice(std::initializer_list<std::pair<const char*, T>> choices) const {
    const std::string given = value_.IsString() ? text() : std::string();
    std::string allowed;
    for (const auto& [name, result] : choices) {
      if (given == name) return result;
      allowed += (allowed.empty() ? "" : ", ") + std::string(name);
    }
    fail("one of " + allowed);
  }

  /// The elements of a typed array, in place. Valid until JavaScript runs again: another call may detach the
  /// buffer.
  std::span<float> floats() const;
  std::span<double> doubles() const;
  std::span<int32_t> int32s() const;
  std::span<int64_t> int64s() const;
  /// The same with exactly `count` elements.
  std::span<float> floats(int64_t count) const;

  /// Whether a typed array lies on a SharedArrayBuffer, whose memory neither moves nor goes away while it is
  /// referred to.
  bool isShared() const;

  /// Throws Error(Option): "NAME must be EXPECTED; given VALUE".
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  std::pair<void*, size_t> typedArray(napi_typedarray_type type, const char* typeName) const;

  Napi::Value value_;
  std::string name_;
};

}  // namespace espalier::addon
