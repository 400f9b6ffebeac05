#include "addon/input.h"

#include <cmath>

namespace espalier::addon {
namespace {

constexpr double kLargestSafeInteger = 9007199254740991.0;

/// A value as a person would write it, short.
std::string show(Napi::Value value) {
  if (value.IsString()) return "'" + value.As<Napi::String>().Utf8Value().substr(0, 60) + "'";
  if (value.IsNumber() || value.IsBoolean() || value.IsNull() || value.IsUndefined() || value.IsBigInt()) {
    return value.ToString().Utf8Value();
  }
  if (value.IsFunction()) return "a function";
  if (value.IsArray()) return "an array of " + std::to_string(value.As<Napi::Array>().Length());
  return value.IsObject() ? "an object" : "a symbol";
}

std::string showNumber(double number) {
  std::string text = std::to_string(number);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

void Input::fail(const std::string& expected) const {
  throw Error(ErrorCode::Option, name_ + " must be " + expected + "; given " + show(value_));
}

Input Input::at(const char* key) const {
  if (!value_.IsObject()) fail("an object");
  return {value_.As<Napi::Object>().Get(key), name_.empty() ? key : name_ + "." + key};
}

std::vector<Input> Input::items(int64_t count) const {
  if (!value_.IsArray()) fail("an array");
  const Napi::Array array = value_.As<Napi::Array>();
  if (count >= 0 && array.Length() != count) fail("an array of " + std::to_string(count));
  std::vector<Input> result;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    result.emplace_back(array.Get(i), name_ + "[" + std::to_string(i) + "]");
  }
  return result;
}

double Input::number() const {
  if (!value_.IsNumber()) fail("a number");
  const double number = value_.As<Napi::Number>().DoubleValue();
  if (!std::isfinite(number)) fail("a finite number");
  return number;
}

double Input::numberWithin(double lowest, double highest) const {
  const double result = number();
  if (result < lowest || result > highest) fail(showNumber(lowest) + " to " + showNumber(highest));
  return result;
}

double Input::shareBelowOne() const {
  const double result = number();
  if (result < 0 || result >= 1) fail("at least 0 and below 1");
  return result;
}

int64_t Input::integer(int64_t lowest, int64_t highest) const {
  const std::string expected =
      "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest);
  if (!value_.IsNumber()) fail(expected);
  const double number = value_.As<Napi::Number>().DoubleValue();
  if (!(std::abs(number) <= kLargestSafeInteger) || number != std::trunc(number)) fail(expected);
  const auto result = static_cast<int64_t>(number);
  if (result < lowest || result > highest) fail(expected);
  return result;
}

uint64_t Input::seed() const {
  return static_cast<uint64_t>(integer(0, static_cast<int64_t>(kLargestSafeInteger)));
}

int Input::threads() const {
  return static_cast<int>(integer(1, 1024));
}

bool Input::boolean() const {
  if (!value_.IsBoolean()) fail("true or false");
  return value_.As<Napi::Boolean>().Value();
}

std::string Input::text() const {
  if (!value_.IsString()) fail("a string");
  return value_.As<Napi::String>().Utf8Value();
}

std::pair<void*, size_t> Input::typedArray(napi_typedarray_type type, const char* typeName) const {
  if (!value_.IsTypedArray()) fail(typeName);
  napi_typedarray_type given;
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer;
  size_t offset = 0;
  const napi_env env = value_.Env();
  NAPI_THROW_IF_FAILED(env, napi_get_typedarray_info(env, value_, &given, &length, &data, &buffer, &offset),
                       std::pair<void*, size_t>());
  if (given != type) fail(typeName);
  bool detached = false;
  NAPI_THROW_IF_FAILED(env, napi_is_detached_arraybuffer(env, buffer, &detached), std::pair<void*, size_t>());
  if (detached) {
    throw Error(ErrorCode::Data, name_ + " lies on a buffer that is detached (it was transferred elsewhere)");
  }
  return {data, length};
}

std::span<float> Input::floats() const {
  const auto [data, length] = typedArray(napi_float32_array, "a Float32Array");
  return {static_cast<float*>(data), length};
}

std::span<double> Input::doubles() const {
  const auto [data, length] = typedArray(napi_float64_array, "a Float64Array");
  return {static_cast<double*>(data), length};
}

std::span<int32_t> Input::int32s() const {
  const auto [data, length] = typedArray(napi_int32_array, "an Int32Array");
  return {static_cast<int32_t*>(data), length};
}

std::span<int64_t> Input::int64s() const {
  const auto [data, length] = typedArray(napi_bigint64_array, "a BigInt64Array");
  return {static_cast<int64_t*>(data), length};
}

std::span<float> Input::floats(int64_t count) const {
  const std::span<float> result = floats();
  if (static_cast<int64_t>(result.size()) != count) {
    throw Error(ErrorCode::Option, name_ + " must hold " + std::to_string(count) + " numbers; it holds " +
                                       std::to_string(result.size()));
  }
  return result;
}

bool Input::isShared() const {
  const napi_env env = value_.Env();
  napi_value buffer;
  NAPI_THROW_IF_FAILED(
      env, napi_get_typedarray_info(env, value_, nullptr, nullptr, nullptr, &buffer, nullptr), false);
  bool ordinary = false;
  NAPI_THROW_IF_FAILED(env, napi_is_arraybuffer(env, buffer, &ordinary), false);
  return !ordinary;
}

}  // namespace espalier::addon
