#include "addon/rewire_kernels.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "addon/errors.h"
#include "addon/instance.h"
#include "addon/matrix.h"
#include "addon/output.h"
#include "rewire/link_prediction.h"
#include "rewire/mest.h"
#include "rewire/snfs.h"
#include "rewire/snip.h"
#include "rewire/srigl.h"

namespace espalier::addon {
namespace {

constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();

/// Gradients of layers that lie in memory: rows x columns each, row-major.
ReadGradient gradientsFrom(std::vector<std::span<const float>> layers, std::vector<int64_t> columns) {
  return [layers = std::move(layers), columns = std::move(columns)](size_t layer, int64_t firstRow,
                                                                    int64_t rows, std::span<float> values) {
    const std::span<const float> from =
        layers[layer].subspan(static_cast<size_t>(firstRow * columns[layer]), values.size());
    static_cast<void>(rows);
    std::ranges::copy(from, values.begin());
  };
}

ReadGradient gradientFrom(const Input& input, const Grid& grid) {
  return gradientsFrom({input.floats(checkedProduct(grid.rows, grid.columns))}, {grid.columns});
}

Napi::Value linkScores(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Pattern pattern = readMatrix({info[0], "matrix"}).pattern;
    const Grid& grid = pattern.grid();
    LinkScores scores(pattern);
    Napi::Float64Array result = Napi::Float64Array::New(info.Env(), static_cast<size_t>(grid.positions()));
    for (int64_t row = 0; row < grid.blockRows(); ++row) {
      std::ranges::copy(scores.row(row), result.Data() + row * grid.blockColumns());
    }
    return result;
  });
}

Napi::Value growByLinksToJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const int64_t count = Input{info[1], "count"}.integer(0, kLargest);
    const Input temperature{info[2], "temperature"};
    LinkChoice choice{std::nullopt, Input{info[3], "seed"}.seed()};
    if (!temperature.isNull()) choice.temperature = temperature.number();
    ThreadPool& pool = info.Env().GetInstanceData<Instance>()->pool(Input{info[4], "threads"}.threads());
    const Pattern pattern = readMatrix({info[0], "matrix"}).pattern;
    return int64Array(info.Env(), growByLinks(pattern.grid(), pattern.positions(), count, choice, pool));
  });
}

Napi::Value mestImportanceToJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const double lambda = Input{info[2], "lambda"}.number();
    const Matrix matrix = readMatrix({info[0], "matrix"});
    const ReadGradient gradient = gradientFrom({info[1], "gradient"}, matrix.pattern.grid());
    return floatArray(info.Env(), mestImportance(matrix.pattern, matrix.values, gradient, 0, lambda));
  });
}

Napi::Value sriglToJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Input options{info[2], "options"};
    SriglPlan plan;
    plan.fraction = options.at("fraction").numberWithin(0, 1);
    plan.minimumSalient = options.at("minimumSalient").numberWithin(0, 1);
    plan.budget = options.at("budget").integer(0, kLargest);
    plan.group = options.at("group").integer(1, kLargest);
    plan.leastLiving = options.at("leastLiving").integer(1, kLargest);
    std::vector<uint8_t> empty;
    for (const Input& flag : options.at("emptyColumns").items()) empty.push_back(flag.boolean() ? 1 : 0);
    plan.emptyColumns = empty;
    const Matrix matrix = readMatrix({info[0], "matrix"});
    const ReadGradient gradient = gradientFrom({info[1], "gradient"}, matrix.pattern.grid());
    const SriglMove move = srigl(matrix.pattern, matrix.values, gradient, 0, plan);
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("dropped", int32Array(info.Env(), move.dropped));
    result.Set("grown", int64Array(info.Env(), move.grown));
    result.Set("removed", int32Array(info.Env(), move.removed));
    return result;
  });
}

Napi::Value redistributeToJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const int64_t total = Input{info[0], "total"}.integer(0, kLargest);
    std::vector<double> momentum;
    std::vector<int64_t> room;
    for (const Input& layer : Input{info[1], "momentum"}.items()) momentum.push_back(layer.number());
    for (const Input& layer : Input{info[2], "room"}.items(static_cast<int64_t>(momentum.size()))) {
      room.push_back(layer.integer(0, kLargest));
    }
    const std::vector<int64_t> counts = redistribute(total, momentum, room);
    Napi::Array result = Napi::Array::New(info.Env(), counts.size());
    for (size_t i = 0; i < counts.size(); ++i) {
      result.Set(static_cast<uint32_t>(i), count(info.Env(), counts[i]));
    }
    return result;
  });
}

Napi::Value mostSensitiveToJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto budget = Input{info[1], "budget"}.choice<SnipBudget>(
        {{"layer", SnipBudget::Layer}, {"network", SnipBudget::Network}});
    std::vector<SnipLayer> layers;
    std::vector<std::span<const float>> gradients;
    std::vector<int64_t> columns;
    for (const Input& layer : Input{info[0], "layers"}.items()) {
      const Grid grid = readGrid(layer.at("rows"), layer.at("columns"), layer.at("block"));
      const int64_t size = checkedProduct(grid.rows, grid.columns);
      gradients.push_back(layer.at("gradient").floats(size));
      columns.push_back(grid.columns);
      layers.push_back({layers.size(), grid, layer.at("weights").floats(size),
                        layer.at("blocks").integer(1, grid.positions())});
    }
    const auto kept = mostSensitive(gradientsFrom(gradients, columns), layers, budget);
    Napi::Array result = Napi::Array::New(info.Env(), kept.size());
    for (size_t i = 0; i < kept.size(); ++i) {
      result.Set(static_cast<uint32_t>(i), int64Array(info.Env(), kept[i]));
    }
    return result;
  });
}

}  // namespace

void addRewireKernels(Napi::Env env, Napi::Object kernels) {
  const auto add = [&](const char* name, auto function) {
    kernels.Set(name, Napi::Function::New(env, function, name));
  };
  add("linkScores", linkScores);
  add("growByLinks", growByLinksToJs);
  add("mestImportance", mestImportanceToJs);
  add("srigl", sriglToJs);
  add("redistribute", redistributeToJs);
  add("mostSensitive", mostSensitiveToJs);
}

}  // namespace espalier::addon
