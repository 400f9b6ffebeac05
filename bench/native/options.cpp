#include "options.h"

#include "base/error.h"
#include "libraries/libraries.h"

namespace espalier::bench {
namespace {

/// Of layers and batches: far more than fits, and within the 32 bits that the libraries take.
constexpr int64_t kLargestSize = int64_t{1} << 24;

Napi::Value element(const Napi::Array& array, uint32_t index) {
  return array.Get(index);
}

}  // namespace

int64_t wholeNumber(const Napi::Value& value, const std::string& name, int64_t largest) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  require(number >= 1 && number <= static_cast<double>(largest) &&
              number == static_cast<double>(static_cast<int64_t>(number)),
          ErrorCode::Option, name + " must be a whole number from 1 to " + std::to_string(largest));
  return static_cast<int64_t>(number);
}

Options::Options(const Napi::CallbackInfo& info) {
  require(info[0].IsObject(), ErrorCode::Option, "an object of options is needed");
  object_ = info[0].As<Napi::Object>();
}

int64_t Options::size(const char* name) const {
  return wholeNumber(object_.Get(name), name, kLargestSize);
}

bool Options::flag(const char* name) const {
  const Napi::Value value = object_.Get(name);
  require(value.IsBoolean(), ErrorCode::Option, std::string(name) + " must be true or false");
  return value.As<Napi::Boolean>();
}

template <typename Value>
Value Options::oneOf(const char* name, std::initializer_list<std::pair<const char*, Value>> allowed) const {
  const Napi::Value value = object_.Get(name);
  const std::string given = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  std::string names;
  for (const auto& [text, meaning] : allowed) {
    if (given == text) return meaning;
    names += (names.empty() ? "" : ", ") + std::string(text);
  }
  throw Error(ErrorCode::Option, std::string(name) + " must be one of " + names);
}

double Options::sparsity() const {
  const Napi::Value value = object_.Get("sparsity");
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  require(number >= 0 && number < 1, ErrorCode::Option,
          "sparsity must be a number from 0 up to, but not including, 1");
  return number;
}

int Options::threads() const {
  return static_cast<int>(wholeNumber(object_.Get("threads"), "threads", kLargestThreads));
}

LayerShape Options::layer() const {
  return {size("outputs"), size("inputs"), size("batch"), threads()};
}

ProductShape Options::product() const {
  const auto product = oneOf<Product>("product", {{"forward", Product::Forward},
                                                  {"inputGradient", Product::InputGradient},
                                                  {"weightGradient", Product::WeightGradient}});
  return {layer(), product};
}

NetworkShape Options::network() const {
  NetworkShape shape;
  const Napi::Value value = object_.Get("sizes");
  require(value.IsArray() && value.As<Napi::Array>().Length() >= 2, ErrorCode::Option,
          "sizes must be an array of at least two numbers: inputs, hidden layers, outputs");
  const auto sizes = value.As<Napi::Array>();
  for (uint32_t i = 0; i < sizes.Length(); ++i) {
    shape.sizes.push_back(wholeNumber(element(sizes, i), "every one of sizes", kLargestSize));
  }
  shape.batch = size("batch");
  shape.threads = threads();
  return shape;
}

SparseShape Options::sparse() const {
  const Napi::Value value = object_.Get("block");
  require(value.IsArray() && value.As<Napi::Array>().Length() == 2, ErrorCode::Option,
          "block must be an array of two numbers: outputs and inputs of a block");
  const auto block = value.As<Napi::Array>();
  const auto side = [&](uint32_t index) {
    constexpr int64_t kLargestSide = 1024;
    return static_cast<int32_t>(wholeNumber(element(block, index), "each side of block", kLargestSide));
  };
  return {sparsity(), {side(0), side(1)}};
}

Precision Options::precision() const {
  if (object_.Get("precision").IsUndefined()) return Precision::Float32;
  return oneOf<Precision>("precision", {{"float32", Precision::Float32}, {"bfloat16", Precision::Bfloat16}});
}

DenseSource Options::dense() const {
  const Napi::Value name = object_.Get("library");
  require(name.IsString(), ErrorCode::Option, "library must be the name of a library");
  return {libraryNamed(name.As<Napi::String>()), flag("sliced")};
}

std::optional<double> Options::mask() const {
  if (!flag("masked")) return std::nullopt;
  return sparsity();
}

int64_t Options::samples(const NetworkShape& network) const {
  const int64_t samples = size("samples");
  require(samples >= network.batch, ErrorCode::Option, "samples must be at least one batch");
  return samples;
}

RewiringRule Options::rule() const {
  return oneOf<RewiringRule>("rule", {{"set", RewiringRule::Set}, {"rigl", RewiringRule::Rigl}});
}

}  // namespace espalier::bench
