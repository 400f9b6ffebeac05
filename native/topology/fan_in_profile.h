#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "topology/profile_family.h"

namespace espalier {

/// What a profile is laid over: the neurons (block rows) of a layer, its inputs (block columns), and the
/// connections (blocks) that it has.
struct ProfileSize {
  int64_t neurons = 0;
  int64_t inputs = 0;
  int64_t connections = 0;
};

struct FanInProfile {
  /// Connections into each neuron; they add up to exactly those asked.
  std::vector<int64_t> counts;
  /// Coefficient of variation of the counts: deviation of the population / mean.
  double cv = 0;
};

/// The fan-in of every neuron by a family. f(u; s) is scaled so that, clamped to 1 .. inputs (0 .. inputs
/// where there are fewer connections than neurons), it adds up to the connections; s is the one that gives
/// these real numbers the CV asked; they are rounded by largest remainder. Where rounding moves the CV by
/// more than 1 %, s is searched again for the rounded profile whose CV is nearest to the one asked, and
/// single connections are moved as long as that brings it nearer.
///
/// cv: at least 0. Throws Error(Option) that names the reach where no s gives this CV; `whose` is what the
/// message calls the layer.
FanInProfile fanInProfile(ProfileFamily family, double cv, const ProfileSize& size, const std::string& whose);

/// CV that counts as the one asked: within 1 %.
inline bool isNear(double cv, double asked) {
  return cv >= 0.99 * asked && cv <= 1.01 * asked;
}

}  // namespace espalier
