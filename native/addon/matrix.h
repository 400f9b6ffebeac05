#pragma once

#include <napi.h>

#include <span>

#include "addon/input.h"
#include "sparse/pattern.h"

namespace espalier::addon {

/// A NativeMatrix of ts/native/surface.ts. The indices are copied before they are checked, so that another
/// thread which shares their memory cannot change them afterwards; the values stay in place.
struct Matrix {
  Pattern pattern;
  std::span<float> values;
};

/// [r, c] with both in 1 .. 1024.
BlockShape readBlock(const Input& input);
Grid readGrid(const Input& rows, const Input& columns, const Input& block);
Matrix readMatrix(const Input& input);

/// { rowOffsets, columnIndices } on fresh typed arrays.
Napi::Object patternToJs(Napi::Env env, const Pattern& pattern);

}  // namespace espalier::addon
