// The optimizers, element by element.

/// Calls body(load, store) style work on whole vectors and on the last part of one.
template <typename Body>
inline void overVectors(int64_t size, const Body& body) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= size; i += Vec::kLanes) body.template run<true>(i, Vec::kLanes);
  if (i < size) body.template run<false>(i, size - i);
}

template <bool Whole>
inline Vec loadSome(const float* p, int64_t n) {
  if constexpr (Whole) return Vec::load(p);
  return Vec::loadPart(p, n);
}

template <bool Whole>
inline void storeSome(Vec v, float* p, int64_t n) {
  if constexpr (Whole) {
    v.store(p);
  } else {
    v.storePart(p, n);
  }
}

/// gradient + l1 x sign(weight), 0 at 0. A kernel of its own each, so that who asks for none pays nothing.
template <bool HasL1>
inline Vec withL1(Vec gradient, Vec weight, float l1) {
  if constexpr (!HasL1) return gradient;
  const Vec zero = Vec::zero();
  const Vec sign = Vec::select(Vec::less(zero, weight), Vec::all(l1),
                               Vec::select(Vec::less(weight, zero), Vec::all(-l1), zero));
  return gradient + sign;
}

template <bool HasL1>
struct SgdUpdate {
  const UpdateArguments& arguments;
  const UpdateState& state;
  const float* gradient;

  template <bool Whole>
  void run(int64_t i, int64_t n) const {
    const Vec rate = Vec::all(-arguments.learningRate), momentum = Vec::all(arguments.momentum);
    const Vec weight = loadSome<Whole>(state.weights + i, n);
    const Vec g = Vec::fma(Vec::all(arguments.weightDecay), weight,
                           withL1<HasL1>(loadSome<Whole>(gradient + i, n), weight, arguments.l1));
    Vec direction = g;
    if (state.first != nullptr) {
      const Vec velocity = Vec::fma(momentum, loadSome<Whole>(state.first + i, n), g);
      storeSome<Whole>(velocity, state.first + i, n);
      direction = arguments.nesterov ? Vec::fma(momentum, velocity, g) : velocity;
    }
    storeSome<Whole>(Vec::fma(rate, direction, weight), state.weights + i, n);
  }
};

template <bool HasL1>
struct AdamUpdate {
  const UpdateArguments& arguments;
  const UpdateState& state;
  const float* gradient;

  template <bool Whole>
  void run(int64_t i, int64_t n) const {
    const UpdateArguments& a = arguments;
    // Each weight is corrected by its own age: a connection that has just grown begins at t = 1.
    float firstCorrections[Vec::kLanes], secondCorrections[Vec::kLanes];
    for (int64_t k = 0; k < Vec::kLanes; ++k) {
      const int32_t birth = state.births != nullptr && k < n ? state.births[i + k] : 0;
      const int32_t age = std::min(a.step - birth, a.corrections) - 1;
      firstCorrections[k] = a.firstCorrection[age];
      secondCorrections[k] = a.secondCorrection[age];
    }
    const bool decoupled = a.kind == UpdateArguments::Kind::AdamW;
    Vec weight = loadSome<Whole>(state.weights + i, n);
    Vec g = withL1<HasL1>(loadSome<Whole>(gradient + i, n), weight, a.l1);
    if (decoupled) {
      weight = weight * Vec::all(1.0f - a.learningRate * a.weightDecay);
    } else {
      g = Vec::fma(Vec::all(a.weightDecay), weight, g);
    }
    const Vec first = Vec::fma(Vec::all(1.0f - a.beta1), g - loadSome<Whole>(state.first + i, n),
                               loadSome<Whole>(state.first + i, n));
    const Vec oldSecond = loadSome<Whole>(state.second + i, n);
    const Vec second = Vec::fma(Vec::all(1.0f - a.beta2), Vec::fma(g, g, Vec::zero() - oldSecond), oldSecond);
    storeSome<Whole>(first, state.first + i, n);
    storeSome<Whole>(second, state.second + i, n);
    const Vec deviation = Vec::sqrt(second * Vec::load(secondCorrections)) + Vec::all(a.epsilon);
    const Vec change = first * Vec::load(firstCorrections) / deviation;
    storeSome<Whole>(Vec::fma(Vec::all(-a.learningRate), change, weight), state.weights + i, n);
  }
};

template <bool HasL1>
inline void updateBy(const UpdateArguments& arguments, const UpdateState& state, const float* gradient,
                     int64_t size) {
  if (arguments.kind == UpdateArguments::Kind::Sgd) {
    overVectors(size, SgdUpdate<HasL1>{arguments, state, gradient});
  } else {
    overVectors(size, AdamUpdate<HasL1>{arguments, state, gradient});
  }
}

void update(const UpdateArguments& arguments, const UpdateState& state, const float* gradient, int64_t size) {
  arguments.l1 == 0 ? updateBy<false>(arguments, state, gradient, size)
                    : updateBy<true>(arguments, state, gradient, size);
}
