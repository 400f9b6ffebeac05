#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace espalier::cuda::bench {

/// One flat JSON object on a line of standard output; bench/cuda.ts collects them. Lines come as they are
/// measured, so that nothing that was measured is lost when a later measurement fails.
class Record {
 public:
  explicit Record(std::string_view kind) { add("kind", kind); }

  Record& add(std::string_view name, std::string_view value);
  Record& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }
  /// null where it is not finite.
  Record& add(std::string_view name, double value);
  Record& add(std::string_view name, int64_t value);
  Record& add(std::string_view name, int32_t value) { return add(name, int64_t{value}); }
  Record& add(std::string_view name, bool value) = delete;
  /// Writes the line, and flushes it.
  void print();

 private:
  void key(std::string_view name);
  std::string text_ = "{";
};

}  // namespace espalier::cuda::bench
