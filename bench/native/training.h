#pragma once

#include <memory>

#include "trained_network.h"
#include "workload.h"

namespace espalier::bench {

/// One step, on batches of several thousand samples.
std::unique_ptr<Workload> trainingStep(std::unique_ptr<TrainedNetwork> network, const NetworkShape& shape);

/// Every step of an epoch of so many samples.
std::unique_ptr<Workload> trainingEpoch(std::unique_ptr<TrainedNetwork> network, const NetworkShape& shape,
                                        int64_t samples);

}  // namespace espalier::bench
