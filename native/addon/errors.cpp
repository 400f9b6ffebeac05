#include "addon/errors.h"

#include <new>

#include "base/error.h"

namespace espalier::addon {
namespace {

const char* codeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::Option:
      return "ERR_ESPALIER_OPTION";
    case ErrorCode::Data:
      return "ERR_ESPALIER_DATA";
    case ErrorCode::Format:
      return "ERR_ESPALIER_FORMAT";
    case ErrorCode::State:
      return "ERR_ESPALIER_STATE";
    case ErrorCode::Diverged:
      return "ERR_ESPALIER_DIVERGED";
    case ErrorCode::Memory:
      return "ERR_ESPALIER_MEMORY";
    case ErrorCode::Device:
      return "ERR_ESPALIER_DEVICE";
    case ErrorCode::Internal:
      break;
  }
  return "ERR_ESPALIER_INTERNAL";
}

}  // namespace

Failure describe(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return {codeOf(known.code()), known.what()};
  } catch (const std::bad_alloc&) {
    return {codeOf(ErrorCode::Memory), "the system has no more memory to give"};
  } catch (const std::length_error&) {
    // A vector asked for more than its size type holds: the same to the caller.
    return {codeOf(ErrorCode::Memory), "an array beyond what memory can hold was asked for"};
  } catch (const std::exception& other) {
    return {codeOf(ErrorCode::Internal), other.what()};
  } catch (...) {
    return {codeOf(ErrorCode::Internal), "an exception of an unknown kind"};
  }
}

Napi::Error toJs(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  error.Set("code", Napi::String::New(env, failure.code));
  return error;
}

}  // namespace espalier::addon
