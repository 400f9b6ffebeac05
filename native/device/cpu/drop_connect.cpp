#include "device/cpu/drop_connect.h"

#include "base/random.h"

namespace espalier::cpu {

void DropConnect::begin(const Kernels& kernels, const Team& team, int64_t step, const float* weights) {
  const uint64_t seed = deriveSeed(seed_, RandomPurpose::DropConnect, layer_, static_cast<uint64_t>(step));
  if (team.member() == 0) stepSeed_ = seed;
  const Range share = team.share(left_.size(), kPanelUnit);
  kernels.dropConnect(rate_, seed, share.begin, weights + share.begin, left_.data() + share.begin,
                      share.size());
}

}  // namespace espalier::cpu
