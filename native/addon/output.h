#pragma once

#include <napi.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

namespace espalier::addon {

/// Fresh typed arrays with a copy of the numbers.
template <typename Array, typename T>
Array copyToJs(Napi::Env env, std::span<const T> numbers) {
  Array array = Array::New(env, numbers.size());
  if (!numbers.empty()) std::copy(numbers.begin(), numbers.end(), array.Data());
  return array;
}

inline Napi::Float32Array floatArray(Napi::Env env, std::span<const float> numbers) {
  return copyToJs<Napi::Float32Array>(env, numbers);
}
inline Napi::Int32Array int32Array(Napi::Env env, std::span<const int32_t> numbers) {
  return copyToJs<Napi::Int32Array>(env, numbers);
}
inline Napi::BigInt64Array int64Array(Napi::Env env, std::span<const int64_t> numbers) {
  return copyToJs<Napi::BigInt64Array>(env, numbers);
}
/// A number, or null.
inline Napi::Value optionalNumber(Napi::Env env, const std::optional<double>& number) {
  return number ? Napi::Value(Napi::Number::New(env, *number)) : env.Null();
}
/// A count, which is far below 2^53.
inline Napi::Number count(Napi::Env env, int64_t number) {
  return Napi::Number::New(env, static_cast<double>(number));
}

}  // namespace espalier::addon
