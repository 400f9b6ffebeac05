#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "base/portable.h"

namespace espalier {

/// What went wrong, in the terms of ts/errors.ts; the addon turns it into `ERR_ESPALIER_...`.
enum class ErrorCode { Option, Data, Format, State, Diverged, Memory, Device, Internal };

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

/// Throws Error(code, message) unless the condition holds.
inline void require(bool condition, ErrorCode code, const std::string& message) {
  if (!condition) throw Error(code, message);
}

/// a x b for sizes, or an error where the product leaves int64 or a factor is negative.
inline int64_t checkedProduct(int64_t a, int64_t b) {
  int64_t product = 0;
  require(a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, &product), ErrorCode::Option,
          "a size of " + std::to_string(a) + " x " + std::to_string(b) + " is beyond 64 bits");
  return product;
}

ESPALIER_HOST_DEVICE constexpr int64_t divideUp(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
ESPALIER_HOST_DEVICE constexpr int64_t roundUp(int64_t a, int64_t b) {
  return divideUp(a, b) * b;
}

}  // namespace espalier
