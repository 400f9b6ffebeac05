#pragma once

#include <napi.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

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
/// A typed array of the numbers themselves where the engine takes memory of others and it is worth it, so
/// that a large network does not stop the event loop while it is copied; else of a copy.
template <typename Array, typename T>
Array moveToJs(Napi::Env env, std::vector<T>&& numbers) {
  constexpr size_t kWorthIt = 16384;
  if (numbers.size() < kWorthIt) return copyToJs<Array>(env, std::span<const T>(numbers));
  auto owned = std::make_unique<std::vector<T>>(std::move(numbers));
  const auto release = [](napi_env, void*, void* hint) { delete static_cast<std::vector<T>*>(hint); };
  napi_value buffer = nullptr;
  const size_t size = owned->size();
  if (napi_create_external_arraybuffer(env, owned->data(), size * sizeof(T), release, owned.get(), &buffer) !=
      napi_ok) {
    return copyToJs<Array>(env, std::span<const T>(*owned));
  }
  owned.release();
  return Array::New(env, size, Napi::ArrayBuffer(env, buffer), 0);
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
