#include "numbers.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace espalier::bench {

AlignedBuffer<float> randomNumbers(int64_t size, uint64_t seed, float deviation) {
  // A prime number, so that rows of a matrix do not repeat each other.
  constexpr int64_t kPeriod = 65521;
  AlignedBuffer<float> numbers(size);
  const int64_t drawn = std::min(size, kPeriod);
  for (int64_t i = 0; i < drawn; ++i) {
    numbers[i] = deviation * randomNormal(seed, RandomPurpose::Weights, 0, static_cast<uint64_t>(i));
  }
  for (int64_t i = drawn; i < size; i += kPeriod) {
    std::copy_n(numbers.data(), std::min(kPeriod, size - i), numbers.data() + i);
  }
  return numbers;
}

AlignedBuffer<float> heWeights(int64_t outputs, int64_t inputs, uint64_t seed) {
  const float deviation = std::sqrt(2.0f / static_cast<float>(inputs));
  return randomNumbers(checkedProduct(outputs, inputs), seed, deviation);
}

}  // namespace espalier::bench
