#include "addon/kernels.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "addon/convert.h"
#include "addon/errors.h"
#include "addon/instance.h"
#include "addon/matrix.h"
#include "addon/output.h"
#include "addon/rewire_kernels.h"
#include "base/random.h"
#include "device/cpu/instruction_set.h"
#include "device/cpu/products.h"
#include "rewire/grow.h"
#include "rewire/prune.h"
#include "topology/density.h"
#include "topology/fan_in_profile.h"
#include "topology/random_pattern.h"

namespace espalier::addon {
namespace {

constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();

/// The arguments of a call by their names in surface.ts.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}
  Input operator()(size_t index, const char* name) const { return {info_[index], name}; }
  Napi::Env env() const { return info_.Env(); }

 private:
  const Napi::CallbackInfo& info_;
};

/// (.., threads, instructionSet, precision) from an index on.
cpu::Means readMeans(const Arguments& arguments, size_t first) {
  const Input set = arguments(first + 1, "instructionSet");
  const cpu::Kernels& kernels = set.isNull() ? cpu::defaultKernels() : cpu::kernelsFor(set.text());
  const int count = arguments(first, "threads").threads();
  const bool narrow =
      arguments(first + 2, "precision").choice<bool>({{"float32", false}, {"bfloat16", true}});
  return {kernels, arguments.env().GetInstanceData<Instance>()->pool(count), narrow};
}

using Product = void (*)(const cpu::Means&, const Pattern&, const float*, const float*, int64_t, float*);

/// (matrix, input, batch, out, threads, instructionSet, precision), where the input has as many rows as the
/// matrix has `inputs`.
void multiply(const Napi::CallbackInfo& info, int64_t Grid::*inputs, int64_t Grid::*outputs,
              Product product) {
  const Arguments arguments(info);
  const int64_t batch = arguments(2, "batch").integer(1, kLargest);
  const cpu::Means means = readMeans(arguments, 4);
  const Matrix matrix = readMatrix(arguments(0, "matrix"));
  const Grid& grid = matrix.pattern.grid();
  const auto input = arguments(1, "input").floats(checkedProduct(grid.*inputs, batch));
  const auto out = arguments(3, "out").floats(checkedProduct(grid.*outputs, batch));
  product(means, matrix.pattern, matrix.values.data(), input.data(), batch, out.data());
}

void spmm(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { multiply(info, &Grid::columns, &Grid::rows, cpu::multiply); });
}

void spmmTransposed(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { multiply(info, &Grid::rows, &Grid::columns, cpu::multiplyTransposed); });
}

void sddmm(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    const Arguments arguments(info);
    const int64_t batch = arguments(3, "batch").integer(1, kLargest);
    const cpu::Means means = readMeans(arguments, 5);
    const Matrix matrix = readMatrix(arguments(0, "matrix"));
    const Grid& grid = matrix.pattern.grid();
    const auto gradient = arguments(1, "gradient").floats(checkedProduct(grid.rows, batch));
    const auto input = arguments(2, "input").floats(checkedProduct(grid.columns, batch));
    const auto out = arguments(4, "out").floats(matrix.pattern.values());
    cpu::sampledProduct(means, matrix.pattern, gradient.data(), input.data(), batch, out.data());
  });
}

void backward(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    const Arguments arguments(info);
    const int64_t batch = arguments(3, "batch").integer(1, kLargest);
    const cpu::Means means = readMeans(arguments, 6);
    const Matrix matrix = readMatrix(arguments(0, "matrix"));
    const Grid& grid = matrix.pattern.grid();
    const auto gradient = arguments(1, "gradient").floats(checkedProduct(grid.rows, batch));
    const auto input = arguments(2, "input").floats(checkedProduct(grid.columns, batch));
    const auto inputGradient = arguments(4, "inputGradient").floats(checkedProduct(grid.columns, batch));
    const auto weightGradient = arguments(5, "weightGradient").floats(matrix.pattern.values());
    cpu::backwardProducts(means, matrix.pattern, matrix.values.data(), gradient.data(), input.data(), batch,
                          inputGradient.data(), weightGradient.data());
  });
}

Napi::Value transpose(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Matrix matrix = readMatrix(Arguments(info)(0, "matrix"));
    const Pattern& pattern = matrix.pattern;
    const BlockShape& block = pattern.block();
    std::vector<float> values(matrix.values.size());
    for (int64_t entry = 0; entry < pattern.entries(); ++entry) {
      const float* const source = matrix.values.data() + int64_t{pattern.valueIndex()[entry]} * block.size();
      float* const target = values.data() + entry * block.size();
      for (int32_t r = 0; r < block.rows; ++r) {
        for (int32_t c = 0; c < block.columns; ++c)
          target[c * block.rows + r] = source[r * block.columns + c];
      }
    }
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("rowOffsets", int64Array(info.Env(), pattern.columnOffsets()));
    result.Set("columnIndices", int32Array(info.Env(), pattern.rows()));
    result.Set("values", floatArray(info.Env(), values));
    return result;
  });
}

Napi::Value growByGradient(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Arguments arguments(info);
    const int64_t batch = arguments(3, "batch").integer(1, kLargest);
    const int64_t count = arguments(4, "count").integer(0, kLargest);
    ThreadPool& pool = info.Env().GetInstanceData<Instance>()->pool(arguments(5, "threads").threads());
    const Matrix matrix = readMatrix(arguments(0, "matrix"));
    const Grid& grid = matrix.pattern.grid();
    const auto gradient = arguments(1, "gradient").floats(checkedProduct(grid.rows, batch));
    const auto input = arguments(2, "input").floats(checkedProduct(grid.columns, batch));
    return int64Array(info.Env(), cpu::growPositions(cpu::defaultKernels(), pool, matrix.pattern,
                                                     gradient.data(), input.data(), batch, count));
  });
}

Napi::Value growAtRandom(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Arguments arguments(info);
    const int64_t count = arguments(1, "count").integer(0, kLargest);
    const uint64_t seed = arguments(2, "seed").seed();
    const auto stream = static_cast<uint32_t>(arguments(3, "stream").integer(0, kLargest));
    const Pattern pattern = readMatrix(arguments(0, "matrix")).pattern;
    return int64Array(info.Env(), espalier::growAtRandom(pattern.grid(), pattern.positions(), count,
                                                         deriveSeed(seed, RandomPurpose::Growth, stream, 0)));
  });
}

Napi::Value prune(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Arguments arguments(info);
    arguments(2, "rule").choice<int>({{"magnitude", 0}});
    const Matrix matrix = readMatrix(arguments(0, "matrix"));
    const int64_t count = arguments(1, "count").integer(0, matrix.pattern.entries());
    return int32Array(info.Env(), smallestEntries(matrix.pattern, matrix.values, count));
  });
}

Napi::Value pruneBySign(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Arguments arguments(info);
    const double fraction = arguments(1, "fraction").numberWithin(0, 1);
    const Matrix matrix = readMatrix(arguments(0, "matrix"));
    return int32Array(info.Env(), smallestBySign(matrix.pattern, matrix.values, fraction));
  });
}

Napi::Value randomPatternToJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Arguments arguments(info);
    const Grid grid = readGrid(arguments(0, "rows"), arguments(1, "columns"), arguments(2, "block"));
    const int64_t blocks = arguments(3, "blocks").integer(0, kLargest);
    const uint64_t seed = arguments(4, "seed").seed();
    const auto stream = static_cast<uint32_t>(arguments(5, "stream").integer(0, kLargest));
    return patternToJs(info.Env(),
                       randomPattern(grid, blocks, deriveSeed(seed, RandomPurpose::Pattern, stream, 0)));
  });
}

Napi::Value layerConnectionsToJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Arguments arguments(info);
    std::vector<Grid> grids;
    for (const Input& layer : arguments(0, "sizes").items()) {
      const std::vector<Input> size = layer.items(2);
      grids.push_back({size[1].integer(1, kLargest), size[0].integer(1, kLargest), {}});
    }
    const std::vector<double> own(grids.size(), std::numeric_limits<double>::quiet_NaN());
    const std::vector<int64_t> connections = layerConnections(grids, arguments(1, "sparsity").number(),
                                                              readDensity(arguments(2, "topology")), own);
    Napi::Array result = Napi::Array::New(info.Env(), connections.size());
    for (size_t i = 0; i < connections.size(); ++i) {
      result.Set(static_cast<uint32_t>(i), count(info.Env(), connections[i]));
    }
    return result;
  });
}

Napi::Value profileFanInToJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Arguments arguments(info);
    const ProfileFamily family = readProfileFamily(arguments(0, "family"));
    const double cv = arguments(1, "cv").number();
    const ProfileSize size{arguments(2, "outputs").integer(1, kLargest),
                           arguments(3, "inputs").integer(1, kLargest),
                           arguments(4, "connections").integer(1, kLargest)};
    const FanInProfile profile = fanInProfile(family, cv, size, "this layer");
    Napi::Object result = Napi::Object::New(info.Env());
    const std::vector<int32_t> counts(profile.counts.begin(), profile.counts.end());
    result.Set("counts", int32Array(info.Env(), counts));
    result.Set("cv", Napi::Number::New(info.Env(), profile.cv));
    return result;
  });
}

}  // namespace

Napi::Object makeKernels(Napi::Env env) {
  Napi::Object kernels = Napi::Object::New(env);
  const auto add = [&](const char* name, auto function) {
    kernels.Set(name, Napi::Function::New(env, function, name));
  };
  add("spmm", spmm);
  add("spmmTransposed", spmmTransposed);
  add("sddmm", sddmm);
  add("backward", backward);
  add("transpose", transpose);
  add("growByGradient", growByGradient);
  add("growAtRandom", growAtRandom);
  add("prune", prune);
  add("pruneBySign", pruneBySign);
  add("randomPattern", randomPatternToJs);
  add("layerConnections", layerConnectionsToJs);
  addRewireKernels(env, kernels);
  add("profileFanIn", profileFanInToJs);
  return kernels;
}

}  // namespace espalier::addon
