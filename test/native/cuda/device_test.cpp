// The whole device against the processor's: the same network, the same batches, the same plans.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "device/cuda/cuda_device.h"
#include "support.h"
#include "topology/initialize.h"

namespace espalier::cuda::test {
namespace {

constexpr int64_t kInputs = 37;
constexpr int64_t kClasses = 4;

LayerDescription sparseLayer(int64_t outputs, BlockShape block = {},
                             Activation activation = Activation::Relu) {
  LayerDescription layer;
  layer.kind = LayerKind::Sparse;
  layer.outputs = outputs;
  layer.block = block;
  layer.activation = activation;
  layer.alpha = 0.2f;
  return layer;
}

LayerDescription denseLayer(int64_t outputs, Activation activation = Activation::Linear) {
  LayerDescription layer;
  layer.kind = LayerKind::Dense;
  layer.outputs = outputs;
  layer.activation = activation;
  layer.alpha = 0.2f;
  return layer;
}

NetworkDescription describe(std::vector<LayerDescription> layers) {
  NetworkDescription description;
  description.inputs = kInputs;
  description.layers = std::move(layers);
  description.sparsity = 0.7;
  description.seed = 11;
  return description;
}

/// Samples whose class shows in every fourth feature.
struct Data {
  explicit Data(int64_t count, bool whole = false) : values(count * kInputs), labels(count) {
    Random random(5);
    for (int64_t i = 0; i < count; ++i) {
      labels[i] = static_cast<int32_t>(i % kClasses);
      for (int64_t j = 0; j < kInputs; ++j) {
        values[i * kInputs + j] = whole ? static_cast<float>(random.below(3)) - 1.0f
                                        : random.uniform() + (j % kClasses == labels[i] ? 1.0f : 0.0f);
      }
    }
  }
  Samples samples() const {
    return {static_cast<int64_t>(labels.size()), kInputs, values.data(), labels.data(), nullptr};
  }

  std::vector<float> values;
  std::vector<int32_t> labels;
};

/// One network twice: trained on the processor and on the card.
struct Pair {
  Pair(const NetworkDescription& description, const Optimizer& optimizer, int64_t batchSize,
       Precision precision = Precision::Float32, bool denseFallback = false)
      : onCpu(makeNetwork(description)), onCard(makeNetwork(description)) {
    resetOptimizer(onCpu, optimizer);
    resetOptimizer(onCard, optimizer);
    settings.batchSize = batchSize;
    settings.growsByGradient = true;
    settings.precision = precision;
    settings.denseFallback = denseFallback;
    cpu = makeCpuDevice(onCpu, settings);
    card = makeCudaDevice(onCard, settings);
  }

  /// Steps over the data in a new order each epoch, with a rewiring by `plan` every `every` steps. Returns
  /// the largest difference of a step's mean loss.
  double train(const Data& data, int64_t batchSize, int64_t steps, const RewirePlan* plan = nullptr,
               int64_t every = 1) {
    double largest = 0;
    const Samples samples = data.samples();
    const int64_t perEpoch = (samples.count + batchSize - 1) / batchSize;
    for (const int64_t end = done + steps; done < end; ++done) {
      const int64_t i = done;
      const Feistel order(static_cast<uint64_t>(samples.count), static_cast<uint64_t>(i / perEpoch));
      const int64_t first = i % perEpoch * batchSize;
      const Batch batch{first, std::min(batchSize, samples.count - first), &order};
      const StepSettings settings{0.05f, i + 1, i + 1, true};
      cpu->step(samples, batch, settings);
      card->step(samples, batch, settings);
      const std::vector<Outcome> a = cpu->finished(true), b = card->finished(true);
      expect(a.size() == 1 && b.size() == 1, "one outcome a step");
      largest = std::max(largest, std::abs(a[0].lossSum - b[0].lossSum) / static_cast<double>(batch.count));
      expect(std::isfinite(b[0].lossSum), "the loss is finite");
      if (plan != nullptr && (i + 1) % every == 0) {
        onCpu.progress.updates = onCard.progress.updates = i + 1;
        const std::vector<LayerMoves> c = cpu->rewire(*plan), d = card->rewire(*plan);
        expect(c.size() == d.size(), "moves of as many layers");
        for (size_t k = 0; k < c.size(); ++k) {
          expect(c[k].layer == d[k].layer && c[k].moved == d[k].moved, "as many connections move");
        }
      }
    }
    card->synchronize();
    return largest;
  }

  void expectEqualPatterns(const char* what) const {
    for (size_t i = 0; i < onCpu.layers.size(); ++i) {
      const Pattern& a = onCpu.layers[i].pattern;
      const Pattern& b = onCard.layers[i].pattern;
      expect(a.rowOffsets() == b.rowOffsets() && a.columns() == b.columns(), what);
    }
  }

  void expectCloseParameters(double tolerance, const char* what) const {
    for (size_t i = 0; i < onCpu.layers.size(); ++i) {
      std::vector<const Parameter*> others;
      LayerState::visitParameters(onCard.layers[i],
                                  [&](const char*, const Parameter& p) { others.push_back(&p); });
      size_t next = 0;
      LayerState::visitParameters(onCpu.layers[i], [&](const char*, const Parameter& p) {
        const Parameter& other = *others[next++];
        for (int64_t k = 0; k < p.values.size(); ++k) {
          expectClose(other.values[k], p.values[k], tolerance, what);
        }
        for (int64_t k = 0; k < p.births.size(); ++k) {
          expect(other.births[k] == p.births[k], "births are equal");
        }
      });
    }
  }

  /// Of all layers: the weights and what the optimizer remembers of them.
  std::vector<std::vector<float>> weightsOnCard() const {
    std::vector<std::vector<float>> all;
    for (const LayerState& layer : onCard.layers) {
      for (const auto* numbers : {&layer.weight.values, &layer.weight.first, &layer.weight.second}) {
        all.emplace_back(numbers->span().begin(), numbers->span().end());
      }
    }
    return all;
  }

  /// As after a rule that ran on the host.
  void makeCardAnew() {
    card.reset();
    card = makeCudaDevice(onCard, settings);
  }

  NetworkState onCpu;
  NetworkState onCard;
  DeviceSettings settings;
  std::unique_ptr<Device> cpu;
  std::unique_ptr<Device> card;
  /// Steps of both.
  int64_t done = 0;
};

Optimizer momentum() {
  Optimizer optimizer;
  optimizer.momentum = 0.9;
  optimizer.weightDecay = 1e-3;
  return optimizer;
}

Optimizer adam(OptimizerKind kind) {
  Optimizer optimizer;
  optimizer.kind = kind;
  optimizer.weightDecay = 1e-2;
  return optimizer;
}

}  // namespace

TEST("device: fifty steps equal the processor's, for every block shape") {
  for (const BlockShape block : {BlockShape{1, 1}, {4, 1}, {4, 4}, {8, 8}, {16, 16}, {3, 5}}) {
    Pair pair(describe({sparseLayer(50, block), sparseLayer(41, block), denseLayer(kClasses)}), momentum(),
              24);
    const double difference = pair.train(Data(100), 24, 50);
    expect(difference < 1e-3, "loss within 1e-3");
    pair.expectCloseParameters(2e-3, "parameters after fifty steps");
  }
}

TEST("device: every activation, with dropout and normalisation between the layers") {
  for (const Activation activation :
       {Activation::Linear, Activation::Relu, Activation::LeakyRelu, Activation::AllRelu, Activation::Srelu,
        Activation::Tanh, Activation::Sigmoid, Activation::Gelu, Activation::Silu}) {
    LayerDescription dropout;
    dropout.kind = LayerKind::Dropout;
    dropout.rate = 0.3f;
    LayerDescription norm;
    norm.kind = LayerKind::LayerNorm;
    Pair pair(describe({sparseLayer(33, {}, activation), norm, denseLayer(20, activation), dropout,
                        sparseLayer(kClasses, {}, Activation::Linear)}),
              momentum(), 16);
    expect(pair.train(Data(40), 16, 12) < 1e-3, "loss within 1e-3");
    pair.expectCloseParameters(2e-3, "parameters");
  }
}

TEST("device: optimizers, losses and small batches") {
  for (const Loss loss : {Loss::SoftmaxCrossEntropy, Loss::BinaryCrossEntropy, Loss::SquaredError}) {
    for (const Optimizer& optimizer : {Optimizer{}, adam(OptimizerKind::Adam), adam(OptimizerKind::AdamW)}) {
      for (const int64_t batchSize : {1, 7}) {
        NetworkDescription description = describe({sparseLayer(21), denseLayer(kClasses)});
        description.loss = loss;
        Pair pair(description, optimizer, batchSize);
        expect(pair.train(Data(20), batchSize, 8) < 1e-3, "loss within 1e-3");
      }
    }
  }
}

TEST("device: DropConnect leaves out what it does on the processor") {
  for (const BlockShape block : {BlockShape{1, 1}, {4, 4}}) {
    std::vector<LayerDescription> layers = {sparseLayer(50, block), sparseLayer(41, block),
                                            denseLayer(20, Activation::Tanh), denseLayer(kClasses)};
    const float rates[] = {0.3f, 0.0f, 0.5f, 0.2f};
    for (size_t i = 0; i < layers.size(); ++i) layers[i].dropConnect = rates[i];
    for (const bool denseFallback : {false, true}) {
      Pair pair(describe(layers), momentum(), 24, Precision::Float32, denseFallback);
      expect(pair.train(Data(100), 24, 20) < 1e-3, "loss within 1e-3");
      pair.expectCloseParameters(2e-3, "parameters after twenty steps");
      const Data data(45);
      const Outcome a = pair.cpu->evaluate(data.samples()), b = pair.card->evaluate(data.samples());
      expectClose(b.lossSum, a.lossSum, 1e-3, "evaluation uses every weight");
    }
  }
}

TEST("device: L1") {
  for (Optimizer optimizer : {momentum(), adam(OptimizerKind::Adam), adam(OptimizerKind::AdamW)}) {
    optimizer.l1 = 0.01;
    Pair pair(describe({sparseLayer(50), sparseLayer(41, {4, 4}), denseLayer(kClasses)}), optimizer, 24);
    expect(pair.train(Data(100), 24, 10) < 1e-3, "loss within 1e-3");
    pair.expectCloseParameters(2e-3, "parameters after ten steps");
  }
}

TEST("device: masked layers are multiplied as dense ones, and move as sparse ones do") {
  for (const BlockShape block : {BlockShape{1, 1}, {3, 5}}) {
    std::vector<LayerDescription> layers = {sparseLayer(50, block), sparseLayer(41, block),
                                            denseLayer(kClasses)};
    layers[0].masked = layers[1].masked = true;
    layers[1].dropConnect = 0.2f;
    Pair pair(describe(layers), momentum(), 20);
    RewirePlan plan;
    plan.drop = DropRule::BySign;
    plan.fraction = 0.3;
    plan.seed = 77;
    expect(pair.train(Data(60), 20, 1, &plan) < 1e-3, "loss within 1e-3");
    pair.expectEqualPatterns("SET's patterns are equal");
    expect(pair.train(Data(60), 20, 20) < 1e-3, "training goes on alike");
    pair.expectCloseParameters(2e-3, "parameters");
    for (const ProductPlan& product : pair.card->plan())
      expect(product.chosen == "dense", "multiplied as dense");
    const Data data(45);
    const auto forwardOnly = makeCudaDevice(pair.onCard, {});
    expectClose(forwardOnly->evaluate(data.samples()).lossSum, pair.cpu->evaluate(data.samples()).lossSum,
                1e-3, "evaluation");
  }
}

TEST("device: lower precisions stay near, and dense copies agree") {
  for (const Precision precision : {Precision::Tf32, Precision::Bfloat16}) {
    for (const BlockShape block : {BlockShape{1, 1}, {8, 8}, {16, 16}, {32, 32}}) {
      Pair pair(describe({sparseLayer(70, block), sparseLayer(45, block), denseLayer(kClasses)}), momentum(),
                16, precision);
      expect(pair.train(Data(64), 16, 10) < 0.05, "loss within 0.05");
    }
  }
  Pair pair(describe({sparseLayer(50), sparseLayer(41, {4, 4}), denseLayer(kClasses)}), momentum(), 16,
            Precision::Float32, true);
  expect(pair.train(Data(64), 16, 20) < 1e-3, "loss within 1e-3 with dense copies allowed");
  bool offered = false;
  for (const ProductPlan& plan : pair.card->plan()) {
    expect(!plan.chosen.empty(), "a way was chosen");
    for (const ProductCandidate& candidate : plan.candidates) offered = offered || candidate.name == "dense";
  }
  expect(offered, "a dense copy was among the candidates");
}

TEST("device: SET moves exactly as on the processor and training goes on alike") {
  for (const BlockShape block : {BlockShape{1, 1}, {4, 4}}) {
    for (const OptimizerKind kind : {OptimizerKind::Sgd, OptimizerKind::Adam}) {
      Optimizer optimizer = kind == OptimizerKind::Sgd ? momentum() : adam(kind);
      Pair pair(describe({sparseLayer(50, block), sparseLayer(41, block), denseLayer(kClasses)}), optimizer,
                20);
      RewirePlan plan;
      plan.drop = DropRule::BySign;
      plan.fraction = 0.3;
      plan.seed = 77;
      // One step apart the weights differ by rounding only; ties and near-ties aside, so do the drops.
      const double difference = pair.train(Data(60), 20, 1, &plan);
      expect(difference < 1e-3, "loss within 1e-3");
      pair.expectEqualPatterns("SET's patterns are equal");
      pair.expectCloseParameters(1e-3, "state follows its connection");
      expect(pair.train(Data(60), 20, 6) < 1e-2, "training goes on alike");
    }
  }
}

TEST("device: evaluation and prediction") {
  Pair pair(describe({sparseLayer(50), denseLayer(kClasses)}), momentum(), 16);
  const Data data(45);
  pair.train(data, 16, 6);
  const Outcome a = pair.cpu->evaluate(data.samples()), b = pair.card->evaluate(data.samples());
  expectClose(b.lossSum, a.lossSum, 1e-3, "sum of losses");
  expect(a.correct == b.correct, "as many right answers");
  std::vector<float> x(45 * kClasses), y(45 * kClasses, NAN);
  pair.cpu->predict(data.samples(), x);
  pair.card->predict(data.samples(), y);
  for (size_t i = 0; i < x.size(); ++i) expectClose(y[i], x[i], 1e-4, "probabilities");
  const auto forwardOnly = makeCudaDevice(pair.onCard, {});
  forwardOnly->predict(data.samples(), y);
  for (size_t i = 0; i < x.size(); ++i) expectClose(y[i], x[i], 1e-4, "probabilities without training");
}

TEST("device: rows of the dense gradient equal the processor's") {
  LayerDescription dropout;
  dropout.kind = LayerKind::Dropout;
  dropout.rate = 0.3f;
  Pair pair(describe({sparseLayer(33, {4, 4}), dropout, denseLayer(20, Activation::Gelu),
                      sparseLayer(kClasses, {}, Activation::Linear)}),
            momentum(), 150);
  // The second batch is shorter than the first.
  for (const int64_t steps : {1, 1}) {
    pair.train(Data(190), 150, steps);
    for (const size_t layer : {0, 2, 3}) {
      const LayerState& state = pair.onCpu.layers[layer];
      const auto size = static_cast<size_t>(state.outputs * state.inputs);
      std::vector<float> whole(size, NAN), rows(size, NAN);
      pair.cpu->readGradient(layer, 0, state.outputs, whole);
      double largest = 0;
      for (const float number : whole) largest = std::max(largest, std::abs(double{number}));
      expect(largest > 0, "there is a gradient");
      for (int64_t first = 0; first < state.outputs; first += 3) {
        const int64_t count = std::min<int64_t>(3, state.outputs - first);
        const auto begin = static_cast<size_t>(first * state.inputs);
        pair.card->readGradient(layer, first, count,
                                std::span(rows).subspan(begin, static_cast<size_t>(count * state.inputs)));
      }
      for (size_t i = 0; i < size; ++i) expectClose(rows[i], whole[i], 1e-5, "a gradient");
    }
  }
}

TEST("device: one that is to train answers before its first step, and trains on") {
  for (const BlockShape block : {BlockShape{1, 1}, {4, 4}}) {
    const NetworkDescription description =
        describe({sparseLayer(50, block), sparseLayer(41, block), denseLayer(kClasses)});
    Pair asked(description, momentum(), 24);
    const Data data(45);
    const Outcome a = asked.cpu->evaluate(data.samples()), b = asked.card->evaluate(data.samples());
    expectClose(b.lossSum, a.lossSum, 1e-3, "sum of losses");
    expect(a.correct == b.correct, "as many right answers");
    expect(asked.train(data, 24, 12) < 1e-3, "loss within 1e-3");
    asked.expectCloseParameters(2e-3, "parameters after twelve steps");
  }
}

TEST("device: steps that move no weights leave every bit") {
  Pair pair(describe({sparseLayer(50), denseLayer(kClasses)}), adam(OptimizerKind::Adam), 16);
  const Data data(48);
  pair.train(data, 16, 3);
  const std::vector<float> before(pair.onCard.layers[0].weight.values.span().begin(),
                                  pair.onCard.layers[0].weight.values.span().end());
  pair.card->step(data.samples(), {0, 16, nullptr}, {0.1f, 4, 4, false});
  pair.card->finished(true);
  pair.card->synchronize();
  expect(std::ranges::equal(before, pair.onCard.layers[0].weight.values.span()), "weights as before");
}

TEST("device: batches that no grid can hold are refused") {
  NetworkState network = makeNetwork(describe({denseLayer(kClasses)}));
  resetOptimizer(network, momentum());
  DeviceSettings settings;
  settings.batchSize = 65535 * 32 + 1;
  expectError(
      ErrorCode::Option, [&] { makeCudaDevice(network, settings); }, "a batch of 2097121");
}

TEST("device: choosing among products leaves every bit") {
  NetworkDescription description = describe({sparseLayer(50), denseLayer(kClasses)});
  Optimizer withL1 = momentum();
  withL1.l1 = 0.1;
  for (const Optimizer& optimizer : {momentum(), withL1, adam(OptimizerKind::AdamW)}) {
    Pair pair(description, optimizer, 16);
    const Data data(48);
    // The first step chooses; it moves nothing itself.
    pair.card->step(data.samples(), {0, 16, nullptr}, {0.1f, 1, 1, false});
    pair.card->finished(true);
    pair.card->synchronize();
    const NetworkState fresh = makeNetwork(description);
    for (size_t i = 0; i < fresh.layers.size(); ++i) {
      expect(std::ranges::equal(fresh.layers[i].weight.values.span(),
                                pair.onCard.layers[i].weight.values.span()),
             "weights as they were drawn");
      for (const float value : pair.onCard.layers[i].weight.first.span()) expect(value == 0, "no memory yet");
    }
  }
}

TEST("device: made anew in the midst of training, it leaves every bit and trains on alike") {
  RewirePlan plan;
  plan.drop = DropRule::BySign;
  plan.fraction = 0.3;
  plan.seed = 77;
  for (const OptimizerKind kind : {OptimizerKind::Sgd, OptimizerKind::Adam, OptimizerKind::AdamW}) {
    Pair pair(describe({sparseLayer(50), sparseLayer(41, {4, 4}), denseLayer(kClasses)}),
              kind == OptimizerKind::Sgd ? momentum() : adam(kind), 20);
    const Data data(60);
    pair.train(data, 20, 3, &plan);
    const std::vector<std::vector<float>> before = pair.weightsOnCard();
    bool born = false;
    for (const int32_t birth : pair.onCard.layers[0].weight.births.span()) born = born || birth > 0;
    expect(born == (kind != OptimizerKind::Sgd), "connections were born while training");
    pair.makeCardAnew();
    pair.card->evaluate(data.samples());
    pair.card->synchronize();
    expect(pair.weightsOnCard() == before, "weights and moments as before");
    expect(pair.train(data, 20, 3) < 1e-2, "training goes on alike");
  }
}

}  // namespace espalier::cuda::test
