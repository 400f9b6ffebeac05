#pragma once

#include <string>
#include <string_view>

namespace espalier::cuda::bench {

/// How much is measured. Tiny is for the test that runs the program on the processor.
enum class Scale { Tiny, Quick, Full };

struct Options {
  /// Which part of the benchmark: "ceilings", "dense", "steps", "blocks" or "sparse".
  std::string part;
  Scale scale = Scale::Full;
  /// Nothing is begun after so many seconds.
  double seconds = 480;
};

/// From the command line: PART [--scale tiny|quick|full] [--seconds N]. Throws Error(Option).
Options parseOptions(int count, const char* const* arguments);

std::string_view nameOf(Scale scale);

}  // namespace espalier::cuda::bench
