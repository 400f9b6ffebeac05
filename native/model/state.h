#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "model/description.h"
#include "model/optimizer.h"
#include "sparse/pattern.h"

namespace espalier {

/// Trained numbers and the optimizer's memory of them, side by side. Empty arrays are what a layer or an
/// optimizer does not have.
struct Parameter {
  AlignedBuffer<float> values;
  /// SGD's velocity, or Adam's first moment.
  AlignedBuffer<float> first;
  /// Adam's second moment.
  AlignedBuffer<float> second;
  /// Adam, sparse weights: the optimizer step after which each connection began; its own step count runs from
  /// there.
  AlignedBuffer<int32_t> births;

  bool empty() const { return values.empty(); }
};

/// What rewiring rules remember of one layer, by name. It goes into every snapshot as it is: tensor
/// `layers.<index>.rewire.<name>`.
struct RewireMemory {
  std::map<std::string, AlignedBuffer<float>> floats;
  std::map<std::string, AlignedBuffer<int32_t>> integers;

  // A list of so many numbers: `find` gives null where it is not there, `make` lays one of zeros. Error(Data)
  // where it is there in another size, as a damaged snapshot may have it.
  const AlignedBuffer<int32_t>* find(const std::string& name, int64_t size) const;
  const AlignedBuffer<float>* findFloats(const std::string& name, int64_t size) const;
  AlignedBuffer<int32_t>& make(const std::string& name, int64_t size);
  AlignedBuffer<float>& makeFloats(const std::string& name, int64_t size);

  int64_t bytes() const;
};

/// Everything that training changes in one layer.
struct LayerState {
  int64_t inputs = 0;
  int64_t outputs = 0;
  /// Sparse layers.
  Pattern pattern;
  /// Sparse: pattern.values() numbers in the pattern's order. Dense: outputs x inputs.
  Parameter weight;
  Parameter bias;
  /// LayerNorm.
  Parameter gain;
  Parameter shift;
  /// SReLU: four rows of `outputs` numbers: left threshold, left slope, right threshold, right slope.
  Parameter srelu;
  RewireMemory memory;

  /// Sparse layers have at least one connection.
  bool isSparse() const { return pattern.entries() > 0; }
  int64_t connections() const { return isSparse() ? pattern.connections() : weight.values.size(); }
  /// Calls visit(name, parameter) for each parameter that exists.
  template <typename Self, typename Visit>
  static void visitParameters(Self& self, const Visit& visit) {
    if (!self.weight.empty()) visit("weight", self.weight);
    if (!self.bias.empty()) visit("bias", self.bias);
    if (!self.gain.empty()) visit("gain", self.gain);
    if (!self.shift.empty()) visit("shift", self.shift);
    if (!self.srelu.empty()) visit("srelu", self.srelu);
  }
};

/// What of an epoch tells whether it was better than those before.
enum class Watched { TrainLoss, TrainAccuracy, ValidationLoss, ValidationAccuracy };

struct BestEpoch {
  Watched watched = Watched::TrainLoss;
  /// 1 for the first.
  int64_t epoch = 0;
  double value = 0;
};

/// How far training has come. Every random number is a function of the seed and these counters.
struct Progress {
  int64_t epoch = 0;
  int64_t stepInEpoch = 0;
  int64_t step = 0;
  int64_t rewirings = 0;
  /// Optimizer steps; a rewiring step that skips its update does not count.
  int64_t updates = 0;
  /// Sums over the epoch that is under way.
  double lossSum = 0;
  int64_t correct = 0;
  int64_t samplesSeen = 0;
  /// None before the first epoch, and where nothing is watched.
  std::optional<BestEpoch> best;
};

/// A network on the host.
struct NetworkState {
  NetworkDescription description;
  std::vector<LayerState> layers;
  /// The optimizer whose memory the parameters hold; none before the first training.
  std::optional<Optimizer> optimizer;
  Progress progress;
};

/// Lays every connection and draws every weight. Throws Error(Option) for what is impossible.
NetworkState makeNetwork(const NetworkDescription& description);

/// Lays one connection a sparse layer and draws the rest: for a state that a snapshot is to replace.
NetworkState makeBlankNetwork(const NetworkDescription& description);

/// Gives every parameter the arrays that this optimizer needs, zeroed, forgets what rewirings remembered, and
/// starts progress afresh.
void resetOptimizer(NetworkState& network, const Optimizer& optimizer);

/// Features at the boundary below layer `boundary` (0 for the inputs, the number of layers for the outputs),
/// rounded up to whole blocks of the layers on both sides.
int64_t paddedFeatures(const NetworkState& network, size_t boundary);

/// Bytes that a network holds.
struct StateBytes {
  int64_t parameters = 0;
  int64_t pattern = 0;
  /// What rewirings remember included.
  int64_t optimizer = 0;
};
StateBytes bytesOf(const NetworkState& network);

}  // namespace espalier
