#pragma once

#include <napi.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "rewiring.h"
#include "shapes.h"

namespace espalier::bench {

/// The one object that a function of the addon takes. Every getter throws Error(Option) that names the option
/// and what is allowed.
class Options {
 public:
  explicit Options(const Napi::CallbackInfo& info);

  int threads() const;
  LayerShape layer() const;
  ProductShape product() const;
  NetworkShape network() const;
  SparseShape sparse() const;
  Precision precision() const;
  DenseSource dense() const;
  /// The sparsity of a mask, or nothing where nothing is masked.
  std::optional<double> mask() const;
  /// Of an epoch of such a network.
  int64_t samples(const NetworkShape& network) const;
  RewiringRule rule() const;

 private:
  double sparsity() const;
  int64_t size(const char* name) const;
  bool flag(const char* name) const;
  template <typename Value>
  Value oneOf(const char* name, std::initializer_list<std::pair<const char*, Value>> allowed) const;

  Napi::Object object_;
};

/// A whole number from JavaScript, from 1 to `largest`. `name` is what an error calls it.
int64_t wholeNumber(const Napi::Value& value, const std::string& name, int64_t largest);

inline constexpr int64_t kLargestThreads = 1024;

}  // namespace espalier::bench
