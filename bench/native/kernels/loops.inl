// The loops for the Vec of the including file.

namespace {

void maskedUpdate(float learningRate, float momentum, const MaskedWeights& layer) {
  const Vec rate = Vec::all(-learningRate), keep = Vec::all(momentum);
  const auto move = [&](int64_t i, const auto& load, const auto& store) {
    const Vec mask = load(layer.mask + i);
    const Vec velocity = Vec::fma(keep, load(layer.velocity + i), load(layer.gradient + i) * mask);
    store(velocity, layer.velocity + i);
    store(Vec::fma(rate, velocity, load(layer.weights + i)) * mask, layer.weights + i);
  };
  int64_t i = 0;
  for (; i + Vec::kLanes <= layer.size; i += Vec::kLanes) {
    move(
        i, [](const float* p) { return Vec::load(p); }, [](Vec v, float* p) { v.store(p); });
  }
  const int64_t rest = layer.size - i;
  if (rest == 0) return;
  move(
      i, [rest](const float* p) { return Vec::loadPart(p, rest); },
      [rest](Vec v, float* p) { v.storePart(p, rest); });
}

template <size_t... Index>
int64_t chains(int64_t rounds, float* result, std::index_sequence<Index...>) {
  // Every chain tends to 1.
  const Vec factor = Vec::all(0.75f), summand = Vec::all(0.25f);
  Vec sums[] = {Vec::all(static_cast<float>(Index))...};
  for (int64_t round = 0; round < rounds; ++round) {
    ((sums[Index] = Vec::fma(sums[Index], factor, summand)), ...);
  }
  Vec total = Vec::zero();
  ((total = total + sums[Index]), ...);
  total.store(result);
  return rounds * 2 * Vec::kLanes * static_cast<int64_t>(sizeof...(Index));
}

int64_t multiplyAdd(int64_t rounds, float* result) {
  // Some registers are left for the operands.
  return chains(rounds, result, std::make_index_sequence<Vec::kRegisters * 3 / 4>());
}

template <size_t... Index>
void readBy(const float* values, int64_t size, int64_t passes, float* result, std::index_sequence<Index...>) {
  constexpr int64_t kStep = Vec::kLanes * sizeof...(Index);
  static_assert(kSumUnit % kStep == 0);
  Vec sums[] = {(static_cast<void>(Index), Vec::zero())...};
  for (int64_t pass = 0; pass < passes; ++pass) {
    for (const float *at = values, *const end = values + size; at < end; at += kStep) {
      ((sums[Index] = sums[Index] + Vec::load(at + Index * Vec::kLanes)), ...);
    }
    // The compiler may not know that the next pass reads the same.
    asm volatile("" ::: "memory");
  }
  Vec total = Vec::zero();
  ((total = total + sums[Index]), ...);
  total.store(result);
}

void read(const float* values, int64_t size, int64_t passes, float* result) {
  readBy(values, size, passes, result, std::make_index_sequence<8>());
}

}  // namespace

Loops loops() {
  return {maskedUpdate, multiplyAdd, read};
}
