#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/aligned_buffer.h"
#include "base/share.h"
#include "device/cuda/rewire/rewire_layer.h"
#include "rewire/grow.h"
#include "rewire/move.h"
#include "rewire/prune.h"
#include "support.h"

// Every rewiring here is compared with the processor's functions, number by number: topology, weights,
// optimizer state and births. Weights and gradients are small whole numbers, so that sums are exact in any
// order and equal magnitudes are frequent.

namespace espalier::cuda::test {
namespace {

constexpr int32_t kUpdates = 77;

/// A layer on the host.
struct HostLayer {
  Pattern pattern;
  AlignedBuffer<float> values, first, second;
  AlignedBuffer<int32_t> births;
};

/// The two sides of its gradient, padded to whole blocks.
struct HostSides {
  int32_t stride = 0;
  std::vector<float> outputGradient, input;
};

struct Case {
  Grid grid;
  double density = 0.1;
  DropRule drop = DropRule::Magnitude;
  GrowRule grow = GrowRule::Random;
  double fraction = 0.3;
  bool returnedKeepState = false;
  Initialization initialization{InitializationKind::Zeros, 0};
  int64_t scratchBytes = kRewireScratchBytes;
  /// 0: all gradients are 0; else they are whole numbers of a few values.
  int64_t gradientValues = 4;
  bool nans = false;
  int32_t batch = 5;
  bool adam = true;
};

bool inPadding(const Pattern& pattern, int64_t row, int64_t column, int64_t inBlock) {
  const Grid& grid = pattern.grid();
  return row * grid.block.rows + inBlock / grid.block.columns >= grid.rows ||
         column * grid.block.columns + inBlock % grid.block.columns >= grid.columns;
}

HostLayer makeLayer(const Case& each, Random& random) {
  HostLayer layer;
  layer.pattern = raggedPattern(each.grid, each.density, static_cast<uint64_t>(random.below(1 << 20)));
  const int64_t values = layer.pattern.values();
  layer.values = AlignedBuffer<float>(values);
  layer.first = AlignedBuffer<float>(values);
  if (each.adam) {
    layer.second = AlignedBuffer<float>(values);
    layer.births = AlignedBuffer<int32_t>(values);
  }
  const Array<int64_t> positions = layer.pattern.positions();
  const int64_t size = layer.pattern.block().size(), width = layer.pattern.grid().blockColumns();
  for (int64_t i = 0; i < values; ++i) {
    const int64_t position = positions[static_cast<size_t>(i / size)];
    if (inPadding(layer.pattern, position / width, position % width, i % size)) continue;
    layer.values[i] = static_cast<float>(random.below(7) - 3) * 0.25f;
    if (each.nans && random.below(9) == 0) layer.values[i] = std::numeric_limits<float>::quiet_NaN();
    if (random.below(20) == 0) layer.values[i] = -0.0f;
    layer.first[i] = static_cast<float>(i + 1);
    if (each.adam) {
      layer.second[i] = static_cast<float>(i) + 0.5f;
      layer.births[i] = static_cast<int32_t>(random.below(50));
    }
  }
  return layer;
}

HostSides makeSides(const Case& each, Random& random) {
  const Grid& grid = each.grid;
  HostSides sides;
  sides.stride = static_cast<int32_t>(roundUp(each.batch, 8));
  const auto fill = [&](int64_t features, int64_t padded) {
    std::vector<float> numbers(static_cast<size_t>(padded * sides.stride), 0.0f);
    for (int64_t feature = 0; feature < features; ++feature) {
      for (int64_t sample = 0; sample < each.batch; ++sample) {
        float number = 0;
        if (each.gradientValues > 0) {
          number = static_cast<float>(random.below(each.gradientValues) - each.gradientValues / 2);
        }
        if (each.nans && random.below(40 * each.batch) == 0) number = std::numeric_limits<float>::quiet_NaN();
        numbers[static_cast<size_t>(feature * sides.stride + sample)] = number;
      }
    }
    return numbers;
  };
  sides.outputGradient = fill(grid.rows, grid.blockRows() * grid.block.rows);
  sides.input = fill(grid.columns, grid.blockColumns() * grid.block.columns);
  return sides;
}

/// The magnitude of one block's gradient, as its rule says.
float magnitudeOf(const Grid& grid, const HostSides& sides, int64_t position) {
  const int64_t row = position / grid.blockColumns() * grid.block.rows;
  const int64_t column = position % grid.blockColumns() * grid.block.columns;
  double sum = 0;
  for (int64_t r = row; r < row + grid.block.rows; ++r) {
    for (int64_t c = column; c < column + grid.block.columns; ++c) {
      float gradient = 0;
      for (int32_t k = 0; k < sides.stride; ++k) {
        gradient += sides.outputGradient[static_cast<size_t>(r * sides.stride + k)] *
                    sides.input[static_cast<size_t>(c * sides.stride + k)];
      }
      if (grid.block.size() == 1) return std::fabs(gradient);
      sum += double{gradient} * double{gradient};
    }
  }
  return static_cast<float>(sum);
}

/// RigL's growth by sorting everything; fewer positions than asked where too few are numbers.
Array<int64_t> growByHand(const Grid& grid, const Array<int64_t>& kept, int64_t count,
                          const HostSides& sides) {
  std::vector<std::pair<float, int64_t>> all;
  size_t next = 0;
  for (int64_t position = 0; position < grid.positions(); ++position) {
    if (next < kept.size() && kept[next] == position) {
      ++next;
      continue;
    }
    const float magnitude = magnitudeOf(grid, sides, position);
    if (!std::isnan(magnitude)) all.emplace_back(-magnitude, position);
  }
  std::sort(all.begin(), all.end());
  Array<int64_t> grown;
  for (size_t i = 0; i < all.size() && static_cast<int64_t>(i) < count; ++i) grown.push_back(all[i].second);
  std::sort(grown.begin(), grown.end());
  return grown;
}

/// The processor's rewiring; see CpuDevice::rewire(). False where too few gradients are numbers.
bool rewireOnHost(HostLayer& layer, const RewirePlan& plan, int64_t number, const HostSides& sides,
                  LayerMoves& moves) {
  const Grid grid = layer.pattern.grid();
  const auto dropped = plan.drop == DropRule::BySign
                           ? smallestBySign(layer.pattern, layer.values.span(), plan.fraction)
                           : smallestEntries(layer.pattern, layer.values.span(),
                                             wholeShare(plan.fraction, layer.pattern.entries()));
  Array<int64_t> kept = layer.pattern.positions();
  for (size_t i = dropped.size(); i-- > 0;) kept.erase(kept.begin() + dropped[i]);
  const auto count = static_cast<int64_t>(dropped.size());
  const auto seedFor = [&](RandomPurpose purpose) {
    return deriveSeed(plan.seed, purpose, static_cast<uint32_t>(number), 0);
  };
  const Array<int64_t> grown = plan.grow == GrowRule::Gradient
                                   ? growByHand(grid, kept, count, sides)
                                   : growAtRandom(grid, kept, count, seedFor(RandomPurpose::Growth));
  if (static_cast<int64_t>(grown.size()) < count) return false;

  Move move = moveEntries(layer.pattern, dropped, grown, plan.returnedKeepState);
  const int32_t size = grid.block.size();
  moves = {number, count * size, move.returned * size};
  Array<int32_t> fresh;
  for (size_t i = 0; i < move.source.size(); ++i) {
    if (move.source[i] < 0) fresh.push_back(static_cast<int32_t>(i));
  }
  layer.pattern.replace(move.rowOffsets, move.columns);
  AlignedBuffer<float> spare(layer.values.size());
  for (AlignedBuffer<float>* values : {&layer.values, &layer.first, &layer.second}) {
    if (!values->empty()) moveValues(move, size, *values, spare);
  }
  initializeNewWeights(layer.pattern, fresh, plan.initialization, seedFor(RandomPurpose::NewWeights),
                       layer.values.span());
  if (!layer.births.empty()) {
    AlignedBuffer<int32_t> spareBirths(layer.births.size());
    moveValues(move, size, layer.births, spareBirths);
    for (const int32_t entry : fresh)
      std::fill_n(layer.births.data() + int64_t{entry} * size, size, kUpdates);
  }
  return true;
}

template <typename T>
DeviceBuffer<T> uploaded(Context& context, const AlignedBuffer<T>& host) {
  DeviceBuffer<T> buffer(context.memory, host.size());
  buffer.upload(host.span());
  return buffer;
}

/// The bits are equal, so that NaN and -0 are told apart from everything else.
template <typename T>
bool sameBits(const DeviceBuffer<T>& device, const AlignedBuffer<T>& host) {
  const std::vector<T> values = download(device);
  return static_cast<int64_t>(values.size()) == host.size() &&
         (values.empty() || std::memcmp(values.data(), host.data(), values.size() * sizeof(T)) == 0);
}

void expectPattern(const DevicePattern& device, const Pattern& host, const std::string& what) {
  Pattern back;
  device.download(back);
  expect(back.rowOffsets() == host.rowOffsets() && back.columns() == host.columns(), what + ": the pattern");
  std::vector<int32_t> index(static_cast<size_t>(host.entries()));
  check(cudaMemcpy(index.data(), device.valueIndex(), index.size() * sizeof(int32_t), cudaMemcpyDeviceToHost),
        "copy from the GPU");
  expect(std::equal(index.begin(), index.end(), host.valueIndex().begin()), what + ": the transpose view");
}

void expectWeights(const DeviceBuffer<float>& device, const HostLayer& host, const Case& each,
                   const std::string& what) {
  if (each.initialization.kind == InitializationKind::Zeros) {
    expect(sameBits(device, host.values), what + ": weights");
    return;
  }
  // Logarithm and cosine may differ in the last bit.
  const std::vector<float> values = download(device);
  for (int64_t i = 0; i < host.values.size(); ++i) {
    const double expected = host.values[i];
    const double value = values[static_cast<size_t>(i)];
    if (!expectClose(value, expected, 1e-6 * std::abs(expected), what + ": weight " + std::to_string(i)))
      return;
  }
}

std::string nameOf(const Case& each, uint64_t seed) {
  const Grid& grid = each.grid;
  return std::to_string(grid.rows) + " x " + std::to_string(grid.columns) + " in blocks of " +
         std::to_string(grid.block.rows) + " x " + std::to_string(grid.block.columns) + ", fraction " +
         std::to_string(each.fraction) + ", scratch " + std::to_string(each.scratchBytes) + ", seed " +
         std::to_string(seed);
}

void rewireBoth(Context& context, Blas& blas, const Case& each, uint64_t seed) {
  Random random(seed);
  HostLayer host = makeLayer(each, random);
  const HostSides sides = makeSides(each, random);
  const std::string what = nameOf(each, seed);

  DevicePattern pattern(context, host.pattern, 8, 16);
  DeviceParameter weight{uploaded(context, host.values), uploaded(context, host.first),
                         uploaded(context, host.second), uploaded(context, host.births)};
  const DeviceBuffer<float> outputGradient = upload(context, sides.outputGradient);
  const DeviceBuffer<float> input = upload(context, sides.input);
  RewirePlan plan;
  plan.drop = each.drop;
  plan.grow = each.grow;
  plan.fraction = each.fraction;
  plan.returnedKeepState = each.returnedKeepState;
  plan.initialization = each.initialization;
  plan.seed = seed * 1000003;
  const int64_t number = static_cast<int64_t>(seed % 5);
  const int64_t used = context.memory.used();
  const float* const place = weight.values.data();

  const auto rewireOnDevice = [&] {
    return rewireLayer(context, blas, pattern, weight, plan, number, kUpdates,
                       {outputGradient.data(), input.data(), sides.stride}, each.scratchBytes);
  };
  LayerMoves expected;
  if (rewireOnHost(host, plan, number, sides, expected)) {
    const LayerMoves moves = rewireOnDevice();
    expect(
        moves.layer == expected.layer && moves.moved == expected.moved && moves.returned == expected.returned,
        what + ": moved " + std::to_string(moves.moved) + " of " + std::to_string(expected.moved) +
            ", returned " + std::to_string(moves.returned) + " of " + std::to_string(expected.returned));
  } else {
    expectError(ErrorCode::Diverged, rewireOnDevice, what);
  }
  expectPattern(pattern, host.pattern, what);
  expectWeights(weight.values, host, each, what);
  expect(sameBits(weight.first, host.first), what + ": first");
  expect(sameBits(weight.second, host.second), what + ": second");
  expect(sameBits(weight.births, host.births), what + ": births");
  expect(context.memory.used() == used && weight.values.data() == place, what + ": memory");
}

TEST("rewire: SET equals the processor") {
  Context context;
  Blas blas(context);
  const std::vector<Case> cases{
      {{37, 53, {1, 1}}, 0.1},
      {{64, 64, {1, 1}}, 0.2, DropRule::BySign},
      {{120, 90, {1, 1}}, 0.05, DropRule::BySign, GrowRule::Random, 0.5, true},
      {{1, 200, {1, 1}}, 0.3},
      {{200, 1, {1, 1}}, 0.3, DropRule::BySign},
      {{30, 30, {1, 1}}, 1.0, DropRule::Magnitude, GrowRule::Random, 0.3},
      {{31, 29, {1, 1}}, 0.97, DropRule::BySign, GrowRule::Random, 1.0, true},
      {{40, 50, {1, 1}}, 0.2, DropRule::Magnitude, GrowRule::Random, 1.0},
      {{40, 50, {1, 1}}, 0.2, DropRule::Magnitude, GrowRule::Random, 0.0},
      {{40, 50, {1, 1}}, 0.2, DropRule::BySign, GrowRule::Random, 0.006},
      {{40, 51, {4, 1}}, 0.2, DropRule::BySign},
      {{43, 38, {4, 4}}, 0.3},
      {{41, 44, {3, 5}}, 0.3, DropRule::Magnitude, GrowRule::Random, 0.4, true},
      {{80, 72, {8, 8}}, 0.4},
      {{100, 90, {16, 16}}, 0.5, DropRule::Magnitude, GrowRule::Random, 0.3},
      // Several windows of the merge, and more entries than one block of a selection walks over.
      {{2, 17000, {1, 1}}, 0.2, DropRule::BySign},
  };
  uint64_t seed = 1;
  for (const Case& each : cases) rewireBoth(context, blas, each, seed++);
  // Weights and state move one array after the other.
  for (Case each : {cases[1], cases[2], cases[12]}) {
    each.scratchBytes = 0;
    rewireBoth(context, blas, each, seed++);
  }
}

TEST("rewire: new weights equal the processor's") {
  Context context;
  Blas blas(context);
  uint64_t seed = 40;
  for (const Initialization initialization :
       {Initialization{InitializationKind::He, 0}, Initialization{InitializationKind::Xavier, 0},
        Initialization{InitializationKind::Normal, 0.02f}}) {
    for (const BlockShape block : {BlockShape{1, 1}, BlockShape{3, 5}, BlockShape{8, 8}}) {
      Case each{{45, 52, block}, 0.3};
      each.initialization = initialization;
      each.adam = seed % 2 == 0;
      rewireBoth(context, blas, each, seed++);
    }
  }
}

TEST("rewire: RigL equals a sort of the dense gradient") {
  Context context;
  Blas blas(context);
  const auto rigl = [](Grid grid, double density, double fraction) {
    Case each{grid, density, DropRule::Magnitude, GrowRule::Gradient, fraction, true};
    return each;
  };
  std::vector<Case> cases{
      rigl({37, 53, {1, 1}}, 0.1, 0.3),     rigl({90, 70, {1, 1}}, 0.03, 0.3),
      rigl({90, 70, {1, 1}}, 0.03, 0.01),   rigl({70, 90, {1, 1}}, 0.05, 1.0),
      rigl({30, 30, {1, 1}}, 1.0, 0.3),     rigl({30, 33, {1, 1}}, 0.96, 0.5),
      rigl({1, 300, {1, 1}}, 0.2, 0.3),     rigl({300, 1, {1, 1}}, 0.2, 0.3),
      rigl({64, 61, {4, 1}}, 0.1, 0.3),     rigl({61, 64, {4, 4}}, 0.1, 0.3),
      rigl({62, 64, {3, 5}}, 0.1, 0.45),    rigl({100, 90, {8, 8}}, 0.2, 0.3),
      rigl({170, 150, {16, 16}}, 0.2, 0.3),
  };
  uint64_t seed = 100;
  for (Case& each : cases) {
    // All in one panel; several; each block row by itself.
    for (const int64_t scratchBytes : {kRewireScratchBytes, int64_t{9000}, int64_t{1}}) {
      each.scratchBytes = scratchBytes;
      // Many values, few, and none but 0.
      each.gradientValues = scratchBytes == 1 ? seed % 3 * 2 : 40;
      each.batch = static_cast<int32_t>(1 + seed % 17);
      each.returnedKeepState = seed % 2 == 0;
      each.drop = seed % 4 == 0 ? DropRule::BySign : DropRule::Magnitude;
      rewireBoth(context, blas, each, seed++);
    }
  }
}

TEST("rewire: gradients and weights that are no numbers") {
  Context context;
  Blas blas(context);
  uint64_t seed = 200;
  for (const Grid& grid : {Grid{50, 60, {1, 1}}, Grid{60, 50, {4, 4}}, Grid{20, 20, {1, 1}}}) {
    for (const double density : {0.05, 0.2, 0.95}) {
      Case each{grid, density, DropRule::Magnitude, GrowRule::Gradient, 0.4, true};
      each.nans = true;
      each.scratchBytes = seed % 2 == 0 ? 2000 : kRewireScratchBytes;
      rewireBoth(context, blas, each, seed++);
    }
  }
}

TEST("rewire: memory for the moment") {
  Context context;
  Blas blas(context);
  const Grid grid{400, 500, {1, 1}};
  Random random(7);
  Case each{grid, 0.2};
  const HostLayer host = makeLayer(each, random);
  const HostSides sides = makeSides(each, random);
  DevicePattern pattern(context, host.pattern, 0, 0);
  DeviceParameter weight{uploaded(context, host.values), uploaded(context, host.first),
                         uploaded(context, host.second), uploaded(context, host.births)};
  const DeviceBuffer<float> outputGradient = upload(context, sides.outputGradient);
  const DeviceBuffer<float> input = upload(context, sides.input);
  const int64_t before = context.memory.used();
  const int64_t panel = 20 * grid.columns * static_cast<int64_t>(sizeof(float));
  for (const GrowRule grow : {GrowRule::Random, GrowRule::Gradient}) {
    RewirePlan plan;
    plan.grow = grow;
    plan.fraction = 0.3;
    rewireLayer(context, blas, pattern, weight, plan, 0, 1,
                {outputGradient.data(), input.data(), sides.stride}, panel);
    // A list of what moves, a few numbers a row, the panel with the rows of a sample, and what is always
    // taken.
    const int64_t lists = 4 * wholeShare(plan.fraction, host.pattern.entries()) + 3 * 4 * (grid.rows + 1);
    const int64_t panels = grow == GrowRule::Gradient ? panel + 20 * sides.stride * 4 : 0;
    const int64_t always = 40000;
    expect(context.memory.peak() - before <= std::max(lists, panels) + 4 * (grid.rows + 1) + always,
           "a peak of " + std::to_string(context.memory.peak() - before) + " bytes");
  }
}

TEST("rewire: the same result with every panel height") {
  Context context;
  Blas blas(context);
  Case each{{96, 40, {1, 1}}, 0.04, DropRule::Magnitude, GrowRule::Gradient, 0.3, true};
  each.gradientValues = 2;
  for (const int64_t rows : {1, 2, 5, 31, 32, 48, 95, 96}) {
    each.scratchBytes = rows * 40 * static_cast<int64_t>(sizeof(float));
    rewireBoth(context, blas, each, 300);
  }
}

}  // namespace
}  // namespace espalier::cuda::test
