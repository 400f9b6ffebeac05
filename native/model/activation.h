#pragma once

#include <cstdint>

namespace espalier {

/// Functions of one neuron. LeakyRelu: alpha z below 0 (Maas et al., 2013). AllRelu: -alpha z below 0 on even
/// hidden layers, +alpha z on odd ones, counted from 1 (Curci et al., 2021). Srelu: linear pieces with four
/// trained parameters a neuron (Jin et al., 2016). Gelu: z x Phi(z), exact (Hendrycks and Gimpel, 2016).
/// Silu: z x sigmoid(z).
enum class Activation : int32_t { Linear, Relu, LeakyRelu, AllRelu, Srelu, Tanh, Sigmoid, Gelu, Silu };

/// SReLU starts as a leaky ReLU: left threshold 0, left slope 0.2, right threshold 1, right slope 1.
inline constexpr float kSreluStart[4] = {0.0f, 0.2f, 1.0f, 1.0f};

}  // namespace espalier
