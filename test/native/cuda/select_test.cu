#include <algorithm>
#include <numeric>

#include "device/cuda/rewire/candidates.cuh"
#include "device/cuda/rewire/rewire_state.h"
#include "device/cuda/rewire/select.cuh"
#include "support.h"

namespace espalier::cuda::test {
namespace {

/// Positions beyond 32 bits, and many equal magnitudes, or all of them.
TEST("select: the largest magnitudes, of equal ones the smallest of far positions") {
  Context context;
  for (const int64_t magnitudes : {1, 3, 1000000}) {
    for (const int64_t size : {1, 5, 3000}) {
      for (const int64_t count : {int64_t{0}, size / 3, size - 1, size, size + 2}) {
        Random random(static_cast<uint64_t>(magnitudes * 10000 + size + count));
        std::vector<uint32_t> bits, low, high;
        std::vector<int64_t> positions;
        for (int64_t i = 0; i < size; ++i) {
          const int64_t position = (random.below(int64_t{1} << 20) << 20) + i;
          positions.push_back(position);
          bits.push_back(static_cast<uint32_t>(random.below(magnitudes)) * 1000u);
          low.push_back(static_cast<uint32_t>(position));
          high.push_back(static_cast<uint32_t>(position >> 32));
        }
        auto bitsThere = upload(context, bits), lowThere = upload(context, low),
             highThere = upload(context, high);
        RewireState state(context);
        Progress progress{};
        progress.dropped[0].count = count;
        progress.found = static_cast<unsigned long long>(size);
        state.progress.upload({&progress, 1});
        Progress* const there = state.progress.data();
        const Candidates candidates{bitsThere.data(), lowThere.data(), highThere.data(), size, &there->found};
        select(context, candidates, size, 40, Demand{there, 0}, state.histogram.data(), &there->winners);
        state.progress.download({&progress, 1});

        std::vector<size_t> order(static_cast<size_t>(size));
        std::iota(order.begin(), order.end(), size_t{0});
        std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
          return bits[a] != bits[b] ? bits[a] > bits[b] : positions[a] < positions[b];
        });
        bool right = progress.winners.done && progress.winners.total == size;
        for (size_t rank = 0; rank < order.size(); ++rank) {
          const size_t i = order[rank];
          const Key key{0x7FFFFFFFu - bits[i], static_cast<uint64_t>(positions[i])};
          right = right && precedes(key, progress.winners.key) == (static_cast<int64_t>(rank) < count);
        }
        expect(right, std::to_string(count) + " of " + std::to_string(size));
      }
    }
  }
}

}  // namespace
}  // namespace espalier::cuda::test
