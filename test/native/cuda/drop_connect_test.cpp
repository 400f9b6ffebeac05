#include "device/cuda/kernels/drop_connect.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/random.h"
#include "feature_buffers.h"

namespace espalier::cuda::test {
namespace {

void checkDropConnect(int64_t size, float rate, bool training, bool inPlace) {
  Context context;
  Random random(2);
  const std::string name = "DropConnect " + std::to_string(rate) + " of " + std::to_string(size) +
                           (training ? "" : ", not training") + (inPlace ? ", in place" : "");
  const std::vector<float> weights = randomValues(random, size, 1);
  StepParameters step;
  step.step = (int64_t{1} << 33) + 9;
  step.training = training;
  const DeviceBuffer<StepParameters> stepBuffer = stepOnCard(context, step);
  DeviceBuffer<float> source = upload(context, weights);
  DeviceBuffer<float> left = poisoned<float>(context, inPlace ? 0 : size);
  constexpr uint64_t kSeed = 0x123456789ABCDEF;
  dropConnect(context, rate, kSeed, 3, source.data(), inPlace ? source.data() : left.data(), size,
              stepBuffer.data());
  const std::vector<float> result = download(inPlace ? source : left);
  // As the processor's kernel has it.
  const uint64_t seed = deriveSeed(kSeed, RandomPurpose::DropConnect, 3, static_cast<uint64_t>(step.step));
  const double threshold = std::min(4294967295.0, std::ceil(double{rate} * 4294967296.0));
  const float scale = 1.0f / (1.0f - rate);
  for (int64_t i = 0; i < size; ++i) {
    const auto bits = randomBits(seed, RandomPurpose::DropConnect, 0, static_cast<uint64_t>(i / 4));
    const bool kept = bits[static_cast<size_t>(i % 4)] >= threshold;
    const float expected = !training ? weights[i] : kept ? weights[i] * scale : 0.0f;
    expectClose(result[i], expected, 0, name);
  }
}

}  // namespace

TEST("drop connect: leaves out what the processor leaves out") {
  // The emulated card has few multiprocessors: the last size is beyond one pass of its threads.
  for (const int64_t size : {1, 3, 4, 7, 1023, 40001}) checkDropConnect(size, 0.3f, true, size == 7);
  checkDropConnect(1030, 0.3f, false, false);
  checkDropConnect(1030, 0.3f, false, true);
  checkDropConnect(1030, 0.99f, true, true);
}

}  // namespace espalier::cuda::test
