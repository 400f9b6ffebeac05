#include "topology/profile_family.h"

#include <cmath>
#include <numbers>

namespace espalier {
namespace {

/// The normal quantile of 0 < u < 1, by bisection: slower than a rational approximation, and exact.
double probit(double u) {
  if (u > 0.5) return -probit(1 - u);
  double below = -40, above = 0;
  for (int i = 0; i < 60; ++i) {
    const double middle = (below + above) / 2;
    const double share = std::erfc(-middle / std::numbers::sqrt2) / 2;
    (share < u ? below : above) = middle;
  }
  return (below + above) / 2;
}

/// log(1 + exp(x)) without overflow.
double softplus(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

}  // namespace

double profileRank(ProfileFamily family, int64_t neuron, int64_t neurons) {
  const auto n = static_cast<double>(neurons);
  const double u = (static_cast<double>(neuron) + 0.5) / n;
  // 2u - 1 from whole numbers, so that neurons at equal distance from the middle are equal to the last bit.
  const double centred = static_cast<double>(2 * neuron + 1 - neurons) / n;
  switch (family) {
    case ProfileFamily::Linear:
      return centred;
    case ProfileFamily::Power:
    case ProfileFamily::Logarithmic:
      return std::log(u);
    case ProfileFamily::Exponential:
      return u;
    case ProfileFamily::Logistic:
      return centred / 2;
    case ProfileFamily::Gaussian:
      return -centred * centred / 4;
    case ProfileFamily::Sinusoidal:
      return std::sin(2 * std::numbers::pi * u);
    case ProfileFamily::Quadratic:
      return centred * centred;
    case ProfileFamily::Lognormal:
      return probit(u);
    case ProfileFamily::PowerLaw:
      break;
  }
  return -std::log1p(-u);
}

double logProfile(ProfileFamily family, double rank, double shape) {
  switch (family) {
    case ProfileFamily::Linear:
    case ProfileFamily::Sinusoidal:
    case ProfileFamily::Quadratic:
      return std::log1p(shape * rank);
    case ProfileFamily::Logarithmic:
      return std::log(softplus(shape + rank));
    case ProfileFamily::Logistic:
      return -softplus(-shape * rank);
    default:
      return shape * rank;
  }
}

ShapeRange shapeRange(ProfileFamily family, double lowestRank, double highestRank) {
  switch (family) {
    case ProfileFamily::Linear:
    case ProfileFamily::Sinusoidal:
      return {0, 1 - 1e-9};
    case ProfileFamily::Quadratic:
      return {0, 1e6};
    case ProfileFamily::Logarithmic:
      return {1e6, -30};
    default:
      return {0, highestRank > lowestRank ? 600 / (highestRank - lowestRank) : 0};
  }
}

const char* nameOf(ProfileFamily family) {
  switch (family) {
    case ProfileFamily::Linear:
      return "linear";
    case ProfileFamily::Power:
      return "power";
    case ProfileFamily::Exponential:
      return "exponential";
    case ProfileFamily::Logarithmic:
      return "logarithmic";
    case ProfileFamily::Logistic:
      return "logistic";
    case ProfileFamily::Gaussian:
      return "gaussian";
    case ProfileFamily::Sinusoidal:
      return "sinusoidal";
    case ProfileFamily::Quadratic:
      return "quadratic";
    case ProfileFamily::Lognormal:
      return "lognormal";
    case ProfileFamily::PowerLaw:
      break;
  }
  return "powerLaw";
}

}  // namespace espalier
