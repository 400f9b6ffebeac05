#include "device/cuda/rewire/move.h"

#include <algorithm>
#include <array>

#include "device/cuda/base/launch.h"
#include "device/cuda/rewire/merge_rows.h"
#include "device/cuda/rewire/new_weights.h"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kMostArrays = 4;

/// Brings the merged rows into the pattern.
__global__ void __launch_bounds__(kThreads)
    commit(const int32_t* keptOffsets, const int32_t* grownOffsets, int32_t rows, const int32_t* newColumns,
           int32_t entries, int32_t* rowOffsets, int32_t* columns) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i <= rows) rowOffsets[i] = keptOffsets[i] + grownOffsets[i];
  if (i < entries) columns[i] = newColumns[i];
}

/// Arrays that follow the pattern, as bits, and what their new numbers are.
struct Arrays {
  uint32_t* data[kMostArrays];
  uint32_t fresh[kMostArrays];

  // Without an index that is not constant, for which they would go through local memory.
  __device__ uint32_t* dataOf(unsigned i) const {
    return i == 0 ? data[0] : i == 1 ? data[1] : i == 2 ? data[2] : data[3];
  }
  __device__ uint32_t freshOf(unsigned i) const {
    return i == 0 ? fresh[0] : i == 1 ? fresh[1] : i == 2 ? fresh[2] : fresh[3];
  }
};

__device__ __forceinline__ uint32_t spread(uint32_t bits, const uint32_t*) {
  return bits;
}
__device__ __forceinline__ uint4 spread(uint32_t bits, const uint4*) {
  return make_uint4(bits, bits, bits, bits);
}

/// Array blockIdx.y into its part of the spare one, in the new order. Units: one number or four.
template <typename Unit>
__global__ void __launch_bounds__(kThreads)
    reorder(Arrays arrays, const int32_t* source, int64_t units, int32_t unitsOfEntry, uint32_t* spare) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= units) return;
  const int64_t entry = unitsOfEntry == 1 ? i : i / unitsOfEntry;
  const int64_t from = source[entry];
  const auto* const data = reinterpret_cast<const Unit*>(arrays.dataOf(blockIdx.y));
  auto* const target = reinterpret_cast<Unit*>(spare) + blockIdx.y * units;
  target[i] = from < 0 ? spread(arrays.freshOf(blockIdx.y), target)
                       : data[from * unitsOfEntry + (i - entry * unitsOfEntry)];
}

/// And back.
template <typename Unit>
__global__ void __launch_bounds__(kThreads) putBack(Arrays arrays, int64_t units, const uint32_t* spare) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= units) return;
  reinterpret_cast<Unit*>(arrays.dataOf(blockIdx.y))[i] =
      reinterpret_cast<const Unit*>(spare)[blockIdx.y * units + i];
}

/// Moves arrays of one layer, `atOnce` of them in each round.
template <typename Unit>
void moveArrays(Context& context, const Arrays& arrays, int count, int atOnce, const int32_t* source,
                int64_t values, int32_t blockSize, uint32_t* spare) {
  constexpr int32_t kWidth = sizeof(Unit) / sizeof(uint32_t);
  const int64_t units = values / kWidth;
  for (int first = 0; first < count; first += atOnce) {
    Arrays round{};
    const int size = std::min(atOnce, count - first);
    for (int i = 0; i < size; ++i) {
      round.data[i] = arrays.data[first + i];
      round.fresh[i] = arrays.fresh[first + i];
    }
    const LaunchShape shape{
        dim3(static_cast<unsigned>(divideUp(units, kThreads)), static_cast<unsigned>(size)), kThreads, 0};
    launch(context, reorder<Unit>, shape, round, source, units, blockSize / kWidth, spare);
    launch(context, putBack<Unit>, shape, round, units, spare);
  }
}

}  // namespace

void moveConnections(Context& context, DevicePattern& pattern, DeviceParameter& weight, Drops drops,
                     Grown grown, const MoveRule& rule, int64_t scratchBytes, RewireState& state) {
  const CsrArrays csr = pattern.csr();
  const int32_t blockSize = pattern.grid().block.size();
  const DevicePattern::Loan loan = pattern.lendTransposeView();
  int32_t* const newColumns = loan.first;
  int32_t* const source = loan.second;

  Arrays arrays{};
  int count = 0;
  const auto follow = [&](auto& buffer, uint32_t fresh) {
    if (buffer.empty()) return;
    arrays.data[count] = reinterpret_cast<uint32_t*>(buffer.data());
    arrays.fresh[count++] = fresh;
  };
  follow(weight.values, 0);
  follow(weight.first, 0);
  follow(weight.second, 0);
  follow(weight.births, static_cast<uint32_t>(rule.updates));

  // All at once where that is little memory; else one by one, for 1 x 1 through memory that is there anyway.
  const int64_t arrayBytes = pattern.values() * static_cast<int64_t>(sizeof(uint32_t));
  const bool little = arrayBytes * count <= std::min(kSmallBytes, scratchBytes);
  DeviceBuffer<uint32_t> own;
  if (little || blockSize != 1) {
    own = DeviceBuffer<uint32_t>(context.memory, pattern.values() * (little ? count : 1));
  }

  mergeRows(context, csr, drops, grown, rule.returnedKeepState, newColumns, source,
            &state.progress.data()->returned);
  const int64_t work = std::max<int64_t>(csr.entries, int64_t{csr.rows} + 1);
  launch(context, commit, {static_cast<unsigned>(divideUp(work, kThreads)), kThreads, 0},
         drops.keptOffsets.data(), grown.offsets.data(), csr.rows, newColumns, csr.entries,
         pattern.rowOffsets(), pattern.columns());
  drops = {};
  grown = {};

  uint32_t* const spare = own.empty() ? reinterpret_cast<uint32_t*>(loan.first) : own.data();
  const int atOnce = little ? count : 1;
  if (blockSize % 4 == 0) {
    moveArrays<uint4>(context, arrays, count, atOnce, source, pattern.values(), blockSize, spare);
  } else {
    moveArrays<uint32_t>(context, arrays, count, atOnce, source, pattern.values(), blockSize, spare);
  }
  if (rule.initialization.kind == InitializationKind::Xavier) pattern.recountColumns(context);
  drawNewWeights(context, pattern, source, rule.initialization, rule.seed, weight.values.data());
}

}  // namespace espalier::cuda
