#pragma once

#include <napi.h>

#include <exception>
#include <string>
#include <utility>

namespace espalier::addon {

/// What the caller is told about a failure: the stable code of ts/errors.ts and a message.
struct Failure {
  std::string code;
  std::string message;
};

/// Error keeps its code, a failed allocation is ERR_ESPALIER_MEMORY, anything else ERR_ESPALIER_INTERNAL.
Failure describe(std::exception_ptr error);

/// A JavaScript Error with a `code`.
Napi::Error toJs(Napi::Env env, const Failure& failure);

/// Runs what a call from JavaScript asks for and turns every exception into a JavaScript one.
template <typename Work>
auto guarded(Napi::Env env, Work&& work) -> decltype(work()) {
  try {
    return std::forward<Work>(work)();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw toJs(env, describe(std::current_exception()));
  }
}

}  // namespace espalier::addon
