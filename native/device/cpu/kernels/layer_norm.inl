// Layer normalisation, vectorised over the samples of a panel.

void layerNorm(const float* input, float* output, int64_t stride, int64_t features, Range samples,
               const float* gain, const float* shift, float epsilon, float* mean, float* inverseDeviation) {
  const Vec share = Vec::all(1.0f / static_cast<float>(features));
  for (int64_t sample = samples.begin; sample < samples.end; sample += Vec::kLanes) {
    Vec sum = Vec::zero();
    for (int64_t f = 0; f < features; ++f) sum = sum + Vec::load(input + f * stride + sample);
    const Vec center = sum * share;
    Vec squares = Vec::zero();
    for (int64_t f = 0; f < features; ++f) {
      const Vec distance = Vec::load(input + f * stride + sample) - center;
      squares = Vec::fma(distance, distance, squares);
    }
    const Vec inverse = Vec::all(1.0f) / Vec::sqrt(Vec::fma(squares, share, Vec::all(epsilon)));
    for (int64_t f = 0; f < features; ++f) {
      const Vec normal = (Vec::load(input + f * stride + sample) - center) * inverse;
      Vec::fma(normal, Vec::all(gain[f]), Vec::all(shift[f])).store(output + f * stride + sample);
    }
    center.store(mean + sample);
    inverse.store(inverseDeviation + sample);
  }
}

void layerNormBackward(const float* input, float* gradient, int64_t stride, int64_t features, Range samples,
                       const float* gain, const float* mean, const float* inverseDeviation) {
  const Vec share = Vec::all(1.0f / static_cast<float>(features));
  for (int64_t sample = samples.begin; sample < samples.end; sample += Vec::kLanes) {
    const Vec center = Vec::load(mean + sample), inverse = Vec::load(inverseDeviation + sample);
    Vec sum = Vec::zero(), product = Vec::zero();
    for (int64_t f = 0; f < features; ++f) {
      const Vec normal = (Vec::load(input + f * stride + sample) - center) * inverse;
      const Vec dy = Vec::load(gradient + f * stride + sample) * Vec::all(gain[f]);
      sum = sum + dy;
      product = Vec::fma(dy, normal, product);
    }
    sum = sum * share;
    product = product * share;
    for (int64_t f = 0; f < features; ++f) {
      const Vec normal = (Vec::load(input + f * stride + sample) - center) * inverse;
      const Vec dy = Vec::load(gradient + f * stride + sample) * Vec::all(gain[f]);
      ((dy - sum - normal * product) * inverse).store(gradient + f * stride + sample);
    }
  }
}

void layerNormGradient(const float* input, const float* outputGradient, int64_t stride, Range features,
                       const float* mean, const float* inverseDeviation, float* gain, float* shift) {
  for (int64_t f = features.begin; f < features.end; ++f) {
    Vec gainSum = Vec::zero(), shiftSum = Vec::zero();
    for (int64_t sample = 0; sample < stride; sample += Vec::kLanes) {
      const Vec normal = (Vec::load(input + f * stride + sample) - Vec::load(mean + sample)) *
                         Vec::load(inverseDeviation + sample);
      const Vec dy = Vec::load(outputGradient + f * stride + sample);
      gainSum = Vec::fma(dy, normal, gainSum);
      shiftSum = shiftSum + dy;
    }
    gain[f] = laneSum(gainSum);
    shift[f] = laneSum(shiftSum);
  }
}
