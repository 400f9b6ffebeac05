// How connections move: the option objects of ts/rewire as the core's rules.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "addon/convert.h"
#include "rewire/cht.h"
#include "rewire/granet.h"
#include "rewire/inverted_rigl.h"
#include "rewire/mest.h"
#include "rewire/snfs.h"
#include "rewire/snip.h"
#include "rewire/srigl.h"

namespace espalier::addon {
namespace {

constexpr int64_t kManySteps = int64_t{1} << 40;
constexpr double kLargest = 1e30;

using HostRulePointer = std::shared_ptr<const HostRule>;

HostRulePointer readInvertedRigl(const Input&) {
  return std::make_shared<InvertedRigl>();
}

HostRulePointer readGranet(const Input& options) {
  return std::make_shared<Granet>(options.at("finalSparsity").shareBelowOne(),
                                  options.at("from").numberWithin(0, 1));
}

HostRulePointer readMest(const Input& options) {
  return std::make_shared<Mest>(options.at("lambda").numberWithin(0, kLargest),
                                options.at("softBound").boolean());
}

HostRulePointer readSnfs(const Input& options) {
  return std::make_shared<Snfs>(options.at("smoothing").shareBelowOne(),
                                options.at("sampleEvery").integer(1, kManySteps),
                                options.at("redistribute").boolean());
}

HostRulePointer readSnip(const Input& options) {
  const auto budget = options.at("budget").choice<SnipBudget>(
      {{"layer", SnipBudget::Layer}, {"network", SnipBudget::Network}});
  return std::make_shared<Snip>(budget, options.at("redraw").boolean());
}

HostRulePointer readSrigl(const Input& options) {
  return std::make_shared<Srigl>(options.at("minimumSalient").numberWithin(0, 1));
}

HostRulePointer readCht(const Input& options) {
  const auto optional = [&](const char* name, double most) {
    const Input input = options.at(name);
    return input.isNull() ? std::nullopt : std::optional(input.numberWithin(0, most));
  };
  return std::make_shared<Cht>(optional("temperature", kLargest), optional("stopAt", 1),
                               readInitialization(options.at("initialization")));
}

/// The rules of the host by their type; each reads its own options from the rule as the user has it.
HostRulePointer readHostRule(const std::string& type, const Input& options) {
  static const std::map<std::string, HostRulePointer (*)(const Input&)> readers = {
      {"invertedRigl", readInvertedRigl},
      {"granet", readGranet},
      {"mest", readMest},
      {"snfs", readSnfs},
      {"snip", readSnip},
      {"srigl", readSrigl},
      {"cht", readCht},
  };
  const auto found = readers.find(type);
  if (found == readers.end()) options.fail("the options of a rule");
  return found->second(options);
}

RewireSchedule readSchedule(const Input& input) {
  RewireSchedule schedule;
  schedule.every = input.at("every").integer(0, kManySteps);
  schedule.until = input.at("until").numberWithin(0, 1);
  schedule.fraction = input.at("fraction").numberWithin(0, 1);
  schedule.minimum = input.at("minimumFraction").numberWithin(0, schedule.fraction);
  schedule.kind = input.at("fractionSchedule")
                      .choice<FractionSchedule>({{"constant", FractionSchedule::Constant},
                                                 {"cosine", FractionSchedule::Cosine},
                                                 {"exponential", FractionSchedule::Exponential},
                                                 {"learningRate", FractionSchedule::LearningRate}});
  return schedule;
}

NeuronPruning readNeurons(const Input& input) {
  NeuronPruning pruning;
  pruning.criterion = input.at("criterion")
                          .choice<NeuronCriterion>({{"incoming", NeuronCriterion::Incoming},
                                                    {"outgoing", NeuronCriterion::Outgoing},
                                                    {"product", NeuronCriterion::Product}});
  pruning.from = input.at("from").numberWithin(0, 1);
  pruning.until = input.at("until").numberWithin(0, 1);
  pruning.every = input.at("every").integer(1, kManySteps);
  pruning.share = input.at("share").shareBelowOne();
  pruning.shareOfLiving = input.at("shareOfLiving").boolean();
  pruning.keepsBudget = input.at("keepsBudget").boolean();
  return pruning;
}

}  // namespace

RewireSettings readRewire(const Input& input) {
  RewireSettings rewire;
  rewire.rule = input.at("type").choice<RewireRule>({{"static", RewireRule::Static},
                                                     {"set", RewireRule::Set},
                                                     {"rigl", RewireRule::Rigl},
                                                     {"host", RewireRule::Host}});
  rewire.schedule = readSchedule(input);
  rewire.drop =
      input.at("prune").choice<DropRule>({{"set", DropRule::BySign}, {"magnitude", DropRule::Magnitude}});
  rewire.initialization = readInitialization(input.at("initialization"));
  rewire.skipUpdate = input.at("skipUpdate").boolean();
  rewire.trackExploration = input.at("trackExploration").boolean();
  if (rewire.rule == RewireRule::Host) {
    const Input options = input.at("options");
    rewire.host = readHostRule(options.at("type").text(), options);
  }
  const Input neurons = input.at("neurons");
  if (!neurons.isNull()) rewire.neurons = readNeurons(neurons);
  return rewire;
}

}  // namespace espalier::addon
