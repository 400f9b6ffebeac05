#include "addon/matrix.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "addon/output.h"

namespace espalier::addon {

BlockShape readBlock(const Input& input) {
  const std::vector<Input> sides = input.items(2);
  return {static_cast<int32_t>(sides[0].integer(1, 1024)), static_cast<int32_t>(sides[1].integer(1, 1024))};
}

Grid readGrid(const Input& rows, const Input& columns, const Input& block) {
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  const Grid grid{rows.integer(1, kLargest), columns.integer(1, kLargest), readBlock(block)};
  checkGrid(grid);
  return grid;
}

Matrix readMatrix(const Input& input) {
  const Grid grid = readGrid(input.at("rows"), input.at("columns"), input.at("block"));
  // Lengths come first: reading a property may run a getter, which may detach what was read before.
  const Input values = input.at("values"), offsets = input.at("rowOffsets"),
              indices = input.at("columnIndices");
  const std::span<int64_t> rowOffsets = offsets.int64s();
  const std::span<int32_t> columns = indices.int32s();
  Pattern pattern(grid, Array<int64_t>(rowOffsets.begin(), rowOffsets.end()),
                  Array<int32_t>(columns.begin(), columns.end()));
  const std::span<float> weights = values.floats(pattern.values());
  return {std::move(pattern), weights};
}

Napi::Object patternToJs(Napi::Env env, const Pattern& pattern) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("rowOffsets", int64Array(env, pattern.rowOffsets()));
  result.Set("columnIndices", int32Array(env, pattern.columns()));
  return result;
}

}  // namespace espalier::addon
