#include "options.h"

#include <charconv>
#include <cstring>

#include "base/error.h"

namespace espalier::cuda::bench {
namespace {

Scale scaleOf(std::string_view name) {
  for (const Scale scale : {Scale::Tiny, Scale::Quick, Scale::Full}) {
    if (name == nameOf(scale)) return scale;
  }
  throw Error(ErrorCode::Option, "--scale must be tiny, quick or full, not " + std::string(name));
}

double secondsOf(const char* text) {
  double seconds = 0;
  const auto [end, failure] = std::from_chars(text, text + std::strlen(text), seconds);
  require(failure == std::errc() && *end == '\0' && seconds > 0, ErrorCode::Option,
          std::string("--seconds must be a number above 0, not ") + text);
  return seconds;
}

}  // namespace

std::string_view nameOf(Scale scale) {
  switch (scale) {
    case Scale::Tiny:
      return "tiny";
    case Scale::Quick:
      return "quick";
    default:
      return "full";
  }
}

Options parseOptions(int count, const char* const* arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument.substr(0, 2) != "--") {
      options.part = argument;
      continue;
    }
    require(argument == "--scale" || argument == "--seconds", ErrorCode::Option,
            "there is no option " + std::string(argument));
    require(i + 1 < count, ErrorCode::Option, std::string(argument) + " needs a value");
    const char* const value = arguments[++i];
    if (argument == "--scale") {
      options.scale = scaleOf(value);
    } else {
      options.seconds = secondsOf(value);
    }
  }
  return options;
}

}  // namespace espalier::cuda::bench
