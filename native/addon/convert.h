#pragma once

#include "addon/input.h"
#include "model/description.h"
#include "train/settings.h"

namespace espalier::addon {

// The option objects of ts/native/surface.ts as the core's structures. Each throws Error(Option) that names
// the option, what was given and what is allowed.

NetworkDescription readDescription(const Input& input);
DeviceKind readDeviceKind(const Input& input);
Placement readPlacement(const Input& input);
Density readDensity(const Input& input);
ProfileFamily readProfileFamily(const Input& input);
Initialization readInitialization(const Input& input);
RewireSettings readRewire(const Input& input);
FitSettings readFitSettings(const Input& input);
Watched readWatched(const Input& input);
Optimizer readOptimizer(const Input& input);

}  // namespace espalier::addon
