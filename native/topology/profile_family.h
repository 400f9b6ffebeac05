#pragma once

#include <cstdint>

namespace espalier {

/// The function f(u; s) > 0 that the fan-in of neuron i of n follows, u = (i + 1/2) / n. The paper that made
/// profiles known (Tomczak, arXiv 2604.10560) names families; these formulas, and the branch of s that each
/// takes, are ours. On that branch the coefficient of variation (CV) of f grows from 0, where f is flat, with
/// s; of Logarithmic alone it shrinks with s.
enum class ProfileFamily {
  /// 1 + s (2u - 1), 0 <= s < 1: rises from the first neuron to the last. CV below 1 / sqrt(3).
  Linear,
  /// u^s, s >= 0.
  Power,
  /// exp(s u), s >= 0.
  Exponential,
  /// log(1 + s u), s > 0: flat for large s, a straight line through 0 for small. CV below 1 / sqrt(3).
  Logarithmic,
  /// 1 / (1 + exp(-s (u - 1/2))), s >= 0: a step for large s. CV below 1.
  Logistic,
  /// exp(-s (u - 1/2)^2), s >= 0: the hubs are in the middle.
  Gaussian,
  /// 1 + s sin(2 pi u), 0 <= s < 1: the hubs are in the first half. CV below 1 / sqrt(2).
  Sinusoidal,
  /// 1 + s (2u - 1)^2, s >= 0: the hubs are at both ends. CV below 2 / sqrt(5).
  Quadratic,
  /// exp(s probit(u)), s >= 0 being sigma.
  Lognormal,
  /// (1 - u)^-s, s >= 0 being 1 / a: a Pareto law of exponent a, truncated by the number of inputs.
  PowerLaw
};

/// Where neuron i of n stands within its family: f(u; s) is a rising function of it, whatever s.
double profileRank(ProfileFamily family, int64_t neuron, int64_t neurons);

/// log f of a neuron of this rank. shape: s, and log s of Logarithmic, whose s covers all magnitudes.
double logProfile(ProfileFamily family, double rank, double shape);

/// The branch of the shape: from where f is flat to where its CV is largest. Where s has no bound of its own
/// it ends where f spans e^600, which doubles still hold.
struct ShapeRange {
  double flat = 0;
  double steepest = 0;
};
ShapeRange shapeRange(ProfileFamily family, double lowestRank, double highestRank);

/// As users write it: "linear", "powerLaw".
const char* nameOf(ProfileFamily family);

}  // namespace espalier
