#include "addon/data.h"

#include <limits>
#include <span>
#include <string>

namespace espalier::addon {
namespace {

/// shape: what the length follows from, as a person would write it.
void requireLength(const Input& input, size_t given, int64_t expected, const std::string& shape) {
  require(static_cast<int64_t>(given) == expected, ErrorCode::Data,
          input.name() + " holds " + std::to_string(given) + " numbers; needed are " +
              std::to_string(expected) + " (" + shape + ")");
}

/// values: the property of that name, which is read once.
Samples view(const Input& input, const Input& values, int64_t inputs, int64_t outputs) {
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  const int64_t count = input.at("samples").integer(1, int64_t{1} << 40);
  const int64_t features = input.at("features").integer(1, kLargest);
  require(features == inputs, ErrorCode::Data,
          input.name() + " has " + std::to_string(features) + " features; the network has " +
              std::to_string(inputs) + " inputs");
  // Every property is read before any array is looked at: a getter may detach what was read before.
  const Input labels = input.at("labels"), targets = input.at("targets");

  const std::span<const float> numbers = values.floats();
  const std::string rows = std::to_string(count) + " samples";
  requireLength(values, numbers.size(), checkedProduct(count, features),
                rows + " x " + std::to_string(features) + " features");
  Samples samples{count, features, numbers.data(), nullptr, nullptr};
  if (!labels.isNull()) {
    const std::span<const int32_t> classes = labels.int32s();
    requireLength(labels, classes.size(), count, rows);
    samples.labels = classes.data();
  }
  if (!targets.isNull()) {
    const std::span<const float> answers = targets.floats();
    requireLength(targets, answers.size(), checkedProduct(count, outputs),
                  rows + " x " + std::to_string(outputs) + " outputs");
    samples.targets = answers.data();
  }
  return samples;
}

}  // namespace

Samples viewSamples(const Input& input, int64_t inputs, int64_t outputs) {
  return view(input, input.at("values"), inputs, outputs);
}

Data::Data(const Input& input, int64_t inputs, int64_t outputs)
    : Data(input, input.at("values"), inputs, outputs) {}

Data::Data(const Input& input, const Input& values, int64_t inputs, int64_t outputs)
    : samples_(view(input, values, inputs, outputs)) {
  const auto copy = [&](auto& into, auto*& from, int64_t each) {
    if (from == nullptr) return;
    into.assign(from, from + samples_.count * each);
    from = into.data();
  };
  copy(labels_, samples_.labels, 1);
  copy(targets_, samples_.targets, outputs);
  if (values.isShared()) {
    kept_ = Napi::Persistent(values.value().As<Napi::Object>());
  } else {
    copy(values_, samples_.values, samples_.features);
  }
}

}  // namespace espalier::addon
