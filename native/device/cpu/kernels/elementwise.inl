// Bias, activations and their derivatives, softmax.

/// exp to about 2 units in the last place (Cephes' polynomial); beyond the range of floats it stays finite.
inline Vec exponential(Vec x) {
  // Where an argument is NaN, x86 takes the second one of min and max: so NaN comes through.
  x = Vec::min(Vec::all(88.0f), Vec::max(Vec::all(-87.0f), x));
  const Vec n = Vec::round(x * Vec::all(1.44269504088896341f));
  Vec r = Vec::fma(n, Vec::all(-0.693359375f), x);
  r = Vec::fma(n, Vec::all(2.12194440e-4f), r);
  Vec y = Vec::all(1.9875691500e-4f);
  y = Vec::fma(y, r, Vec::all(1.3981999507e-3f));
  y = Vec::fma(y, r, Vec::all(8.3334519073e-3f));
  y = Vec::fma(y, r, Vec::all(4.1665795894e-2f));
  y = Vec::fma(y, r, Vec::all(1.6666665459e-1f));
  y = Vec::fma(y, r, Vec::all(5.0000001201e-1f));
  y = Vec::fma(y, r * r, r + Vec::all(1.0f));
  return y * Vec::exp2OfInteger(n);
}

inline Vec logistic(Vec x) {
  return Vec::all(1.0f) / (Vec::all(1.0f) + exponential(Vec::zero() - x));
}

/// Cephes' tanhf: a polynomial near zero, where 1 - 2 / (exp(2x) + 1) would lose digits.
inline Vec hyperbolicTangent(Vec x) {
  const Vec z = x * x;
  Vec y = Vec::all(-5.70498872745e-3f);
  y = Vec::fma(y, z, Vec::all(2.06390887954e-2f));
  y = Vec::fma(y, z, Vec::all(-5.37397155531e-2f));
  y = Vec::fma(y, z, Vec::all(1.33314422036e-1f));
  y = Vec::fma(y, z, Vec::all(-3.33332819422e-1f));
  const Vec small = Vec::fma(y * z, x, x);
  const Vec large = Vec::all(1.0f) - Vec::all(2.0f) / (exponential(x + x) + Vec::all(1.0f));
  return Vec::select(Vec::less(z, Vec::all(0.390625f)), small, large);
}

/// The standard normal distribution function, by Abramowitz and Stegun 7.1.26 (absolute error 1.5e-7).
inline Vec normalCumulative(Vec x) {
  const Vec half = Vec::all(0.5f);
  const Vec magnitude = Vec::max(x, Vec::zero() - x) * Vec::all(0.70710678118654752f);
  const Vec t = Vec::all(1.0f) / Vec::fma(Vec::all(0.3275911f), magnitude, Vec::all(1.0f));
  Vec y = Vec::all(1.061405429f);
  y = Vec::fma(y, t, Vec::all(-1.453152027f));
  y = Vec::fma(y, t, Vec::all(1.421413741f));
  y = Vec::fma(y, t, Vec::all(-0.284496736f));
  y = Vec::fma(y, t, Vec::all(0.254829592f));
  const Vec tail = half * y * t * exponential(Vec::zero() - magnitude * magnitude);
  return Vec::select(Vec::less(x, Vec::zero()), tail, Vec::all(1.0f) - tail);
}

/// The parameters of one neuron's activation.
struct Neuron {
  Vec alpha, leftThreshold, leftSlope, rightThreshold, rightSlope;
};

inline Neuron neuronOf(const ActivationArguments& a, int64_t row) {
  Neuron neuron{Vec::all(a.alpha), Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
  if (a.kind == Activation::Srelu) {
    neuron.leftThreshold = Vec::all(a.srelu[row]);
    neuron.leftSlope = Vec::all(a.srelu[a.units + row]);
    neuron.rightThreshold = Vec::all(a.srelu[2 * a.units + row]);
    neuron.rightSlope = Vec::all(a.srelu[3 * a.units + row]);
  }
  return neuron;
}

template <Activation Kind>
inline Vec activated(Vec z, const Neuron& n) {
  const Vec zero = Vec::zero();
  if constexpr (Kind == Activation::Relu) return Vec::max(zero, z);
  if constexpr (Kind == Activation::LeakyRelu || Kind == Activation::AllRelu) {
    return Vec::select(Vec::less(zero, z), z, z * n.alpha);
  }
  if constexpr (Kind == Activation::Srelu) {
    const Vec left = Vec::fma(n.leftSlope, z - n.leftThreshold, n.leftThreshold);
    const Vec right = Vec::fma(n.rightSlope, z - n.rightThreshold, n.rightThreshold);
    const Vec inner = Vec::select(Vec::less(n.leftThreshold, z), z, left);
    return Vec::select(Vec::less(z, n.rightThreshold), inner, right);
  }
  if constexpr (Kind == Activation::Tanh) return hyperbolicTangent(z);
  if constexpr (Kind == Activation::Sigmoid) return logistic(z);
  if constexpr (Kind == Activation::Gelu) return z * normalCumulative(z);
  if constexpr (Kind == Activation::Silu) return z * logistic(z);
  return z;
}

/// activation'(z), where z is the activation's output if derivativeFromOutput says so.
template <Activation Kind>
inline Vec derivative(Vec z, const Neuron& n) {
  const Vec zero = Vec::zero(), one = Vec::all(1.0f);
  if constexpr (Kind == Activation::Relu) return Vec::select(Vec::less(zero, z), one, zero);
  if constexpr (Kind == Activation::LeakyRelu || Kind == Activation::AllRelu) {
    return Vec::select(Vec::less(zero, z), one, n.alpha);
  }
  if constexpr (Kind == Activation::Srelu) {
    const Vec inner = Vec::select(Vec::less(n.leftThreshold, z), one, n.leftSlope);
    return Vec::select(Vec::less(z, n.rightThreshold), inner, n.rightSlope);
  }
  if constexpr (Kind == Activation::Tanh) return one - z * z;
  if constexpr (Kind == Activation::Sigmoid) return z * (one - z);
  if constexpr (Kind == Activation::Gelu) {
    const Vec density = Vec::all(0.3989422804014327f) * exponential(Vec::all(-0.5f) * z * z);
    return Vec::fma(z, density, normalCumulative(z));
  }
  if constexpr (Kind == Activation::Silu) {
    const Vec s = logistic(z);
    return s * Vec::fma(z, one - s, one);
  }
  return one;
}

template <Activation Kind>
inline void activateRows(const ActivationArguments& a, const float* bias, float* z, float* output,
                         int64_t stride, Range rows, Range samples) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const Neuron neuron = neuronOf(a, row);
    const Vec shift = Vec::all(bias != nullptr ? bias[row] : 0.0f);
    for (int64_t at = row * stride + samples.begin; at < row * stride + samples.end; at += Vec::kLanes) {
      const Vec x = Vec::load(z + at) + shift;
      if (z != output) x.store(z + at);
      activated<Kind>(x, neuron).store(output + at);
    }
  }
}

template <Activation Kind>
inline void activateRowsBackward(const ActivationArguments& a, const float* z, float* gradient,
                                 int64_t stride, Range rows, Range samples) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const Neuron neuron = neuronOf(a, row);
    for (int64_t at = row * stride + samples.begin; at < row * stride + samples.end; at += Vec::kLanes) {
      (Vec::load(gradient + at) * derivative<Kind>(Vec::load(z + at), neuron)).store(gradient + at);
    }
  }
}

void activate(const ActivationArguments& a, const float* bias, float* z, float* output, int64_t stride,
              Range rows, Range samples) {
  switch (a.kind) {
    case Activation::Linear:
      return activateRows<Activation::Linear>(a, bias, z, output, stride, rows, samples);
    case Activation::Relu:
      return activateRows<Activation::Relu>(a, bias, z, output, stride, rows, samples);
    case Activation::LeakyRelu:
      return activateRows<Activation::LeakyRelu>(a, bias, z, output, stride, rows, samples);
    case Activation::AllRelu:
      return activateRows<Activation::AllRelu>(a, bias, z, output, stride, rows, samples);
    case Activation::Srelu:
      return activateRows<Activation::Srelu>(a, bias, z, output, stride, rows, samples);
    case Activation::Tanh:
      return activateRows<Activation::Tanh>(a, bias, z, output, stride, rows, samples);
    case Activation::Sigmoid:
      return activateRows<Activation::Sigmoid>(a, bias, z, output, stride, rows, samples);
    case Activation::Gelu:
      return activateRows<Activation::Gelu>(a, bias, z, output, stride, rows, samples);
    case Activation::Silu:
      return activateRows<Activation::Silu>(a, bias, z, output, stride, rows, samples);
  }
}

void activateBackward(const ActivationArguments& a, const float* z, float* gradient, int64_t stride,
                      Range rows, Range samples) {
  switch (a.kind) {
    case Activation::Linear:
      return;
    case Activation::Relu:
      return activateRowsBackward<Activation::Relu>(a, z, gradient, stride, rows, samples);
    case Activation::LeakyRelu:
      return activateRowsBackward<Activation::LeakyRelu>(a, z, gradient, stride, rows, samples);
    case Activation::AllRelu:
      return activateRowsBackward<Activation::AllRelu>(a, z, gradient, stride, rows, samples);
    case Activation::Srelu:
      return activateRowsBackward<Activation::Srelu>(a, z, gradient, stride, rows, samples);
    case Activation::Tanh:
      return activateRowsBackward<Activation::Tanh>(a, z, gradient, stride, rows, samples);
    case Activation::Sigmoid:
      return activateRowsBackward<Activation::Sigmoid>(a, z, gradient, stride, rows, samples);
    case Activation::Gelu:
      return activateRowsBackward<Activation::Gelu>(a, z, gradient, stride, rows, samples);
    case Activation::Silu:
      return activateRowsBackward<Activation::Silu>(a, z, gradient, stride, rows, samples);
  }
}

inline float laneSum(Vec v) {
  float lanes[Vec::kLanes];
  v.store(lanes);
  float total = 0;
  for (const float lane : lanes) total += lane;
  return total;
}

void sreluGradient(const ActivationArguments& a, const float* z, const float* outputGradient, int64_t stride,
                   Range rows, float* gradient) {
  const Vec zero = Vec::zero(), one = Vec::all(1.0f);
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const Neuron n = neuronOf(a, row);
    Vec sums[4] = {zero, zero, zero, zero};
    for (int64_t at = row * stride; at < (row + 1) * stride; at += Vec::kLanes) {
      const Vec x = Vec::load(z + at), dy = Vec::load(outputGradient + at);
      // The right part wins where the thresholds have crossed, as it does in the forward pass.
      const Vec right = Vec::select(Vec::less(x, n.rightThreshold), zero, dy);
      const Vec left = Vec::select(Vec::less(n.leftThreshold, x), zero, dy - right);
      sums[0] = Vec::fma(left, one - n.leftSlope, sums[0]);
      sums[1] = Vec::fma(left, x - n.leftThreshold, sums[1]);
      sums[2] = Vec::fma(right, one - n.rightSlope, sums[2]);
      sums[3] = Vec::fma(right, x - n.rightThreshold, sums[3]);
    }
    for (int i = 0; i < 4; ++i) gradient[i * a.units + row] = laneSum(sums[i]);
  }
}

void rowSums(const float* outputGradient, int64_t stride, Range rows, float* gradient) {
  int64_t row = rows.begin;
  for (; row + Vec::kLanes <= rows.end; row += Vec::kLanes) {
    Vec sum[Vec::kLanes];
    for (int64_t k = 0; k < Vec::kLanes; ++k) sum[k] = Vec::load(outputGradient + (row + k) * stride);
    for (int64_t sample = Vec::kLanes; sample < stride; sample += Vec::kLanes) {
      for (int64_t k = 0; k < Vec::kLanes; ++k)
        sum[k] = sum[k] + Vec::load(outputGradient + (row + k) * stride + sample);
    }
    Vec::sums<Vec::kLanes>(sum).store(gradient + row);
  }
  for (; row < rows.end; ++row) {
    // As many lanes are summed in the same order as above: which rows a thread has must not show.
    Vec sum[Vec::kLanes];
    for (Vec& each : sum) each = Vec::zero();
    for (int64_t sample = 0; sample < stride; sample += Vec::kLanes)
      sum[0] = sum[0] + Vec::load(outputGradient + row * stride + sample);
    Vec::sums<Vec::kLanes>(sum).storePart(gradient + row, 1);
  }
}

void softmax(const float* logits, float* probabilities, int64_t stride, int64_t classes, Range samples,
             float* logarithm) {
  for (int64_t sample = samples.begin; sample < samples.end; sample += Vec::kLanes) {
    Vec largest = Vec::load(logits + sample);
    for (int64_t k = 1; k < classes; ++k)
      largest = Vec::max(largest, Vec::load(logits + k * stride + sample));
    Vec total = Vec::zero();
    for (int64_t k = 0; k < classes; ++k) {
      const Vec e = exponential(Vec::load(logits + k * stride + sample) - largest);
      e.store(probabilities + k * stride + sample);
      total = total + e;
    }
    const Vec inverse = Vec::all(1.0f) / total;
    for (int64_t k = 0; k < classes; ++k) {
      float* const p = probabilities + k * stride + sample;
      (Vec::load(p) * inverse).store(p);
    }
    float lanes[Vec::kLanes], tops[Vec::kLanes];
    total.store(lanes);
    largest.store(tops);
    for (int i = 0; i < Vec::kLanes; ++i) logarithm[sample + i] = std::log(lanes[i]) + tops[i];
  }
}

int64_t atLeast(const float* values, int64_t count, float threshold, int32_t* indices) {
  const Vec limit = Vec::all(threshold);
  int64_t found = 0, i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) {
    const Vec v = Vec::load(values + i);
    uint32_t bits = Vec::bits(Vec::atLeast(Vec::max(v, Vec::zero() - v), limit));
    for (; bits != 0; bits &= bits - 1) indices[found++] = static_cast<int32_t>(i + std::countr_zero(bits));
  }
  for (; i < count; ++i) {
    if (std::abs(values[i]) >= threshold) indices[found++] = static_cast<int32_t>(i);
  }
  return found;
}
