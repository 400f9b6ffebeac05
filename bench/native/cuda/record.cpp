#include "record.h"

#include <cmath>
#include <cstdio>

namespace espalier::cuda::bench {
namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    // Messages of libraries may hold line breaks and the like.
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + '"';
}

}  // namespace

void Record::key(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  text_ += quoted(name) + ':';
}

Record& Record::add(std::string_view name, std::string_view value) {
  key(name);
  text_ += quoted(value);
  return *this;
}

Record& Record::add(std::string_view name, double value) {
  key(name);
  if (!std::isfinite(value)) {
    text_ += "null";
    return *this;
  }
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.9g", value);
  text_ += digits;
  return *this;
}

Record& Record::add(std::string_view name, int64_t value) {
  key(name);
  text_ += std::to_string(value);
  return *this;
}

void Record::print() {
  text_ += "}\n";
  std::fwrite(text_.data(), 1, text_.size(), stdout);
  std::fflush(stdout);
}

}  // namespace espalier::cuda::bench
