#include "warp_tools.h"

#include <bit>
#include <cstring>

#include "runtime.h"

namespace espalier::emulation {
namespace {

constexpr uint32_t kAllLanes = 0xFFFFFFFFu;

void requireAligned(const void* address, const char* what) {
  if (reinterpret_cast<uintptr_t>(address) % 16 != 0)
    fail("%s: %p is not aligned to 16 bytes", what, address);
}

/// Shared memory is the block's dynamic one or some static variable: anything but the card's memory.
void requireShared(const void* address, const char* what) {
  if (!isDynamicShared(address, 16) && isCardMemory(address, 0))
    fail("%s: %p is not shared memory", what, address);
}

struct Product {
  float* d;
  const uint32_t* a;
  const uint32_t* b;
};

/// D (16 x 8) += A (16 x depth) x B (depth x 8); fragments as in matrix_units.cuh.
template <int Depth, typename LoadA, typename LoadB>
void multiply(void* const* data, const LoadA& loadA, const LoadB& loadB) {
  float a[16][Depth];
  float b[Depth][8];
  for (uint32_t lane = 0; lane < 32; ++lane) {
    if (data[lane] == nullptr)
      fail("a product on the matrix units by a warp of which lane %u has ended", lane);
    const auto& product = *static_cast<const Product*>(data[lane]);
    loadA(a, product.a, lane / 4, lane % 4);
    loadB(b, product.b, lane / 4, lane % 4);
  }
  for (uint32_t lane = 0; lane < 32; ++lane) {
    float* d = static_cast<const Product*>(data[lane])->d;
    for (uint32_t i = 0; i < 4; ++i) {
      const uint32_t row = lane / 4 + (i >= 2 ? 8 : 0);
      const uint32_t column = 2 * (lane % 4) + i % 2;
      float sum = d[i];
      for (int k = 0; k < Depth; ++k) sum += a[row][k] * b[k][column];
      d[i] = sum;
    }
  }
}

// The units ignore the lower 13 bits.
float fromTf32(uint32_t bits) {
  return std::bit_cast<float>(bits & ~0x1FFFu);
}

float lowerBfloat16(uint32_t pair) {
  return std::bit_cast<float>(pair << 16);
}
float upperBfloat16(uint32_t pair) {
  return std::bit_cast<float>(pair & 0xFFFF0000u);
}

void completeTf32(void* const* data) {
  multiply<8>(
      data,
      [](float(*a)[8], const uint32_t* part, uint32_t g, uint32_t t) {
        a[g][t] = fromTf32(part[0]);
        a[g + 8][t] = fromTf32(part[1]);
        a[g][t + 4] = fromTf32(part[2]);
        a[g + 8][t + 4] = fromTf32(part[3]);
      },
      [](float(*b)[8], const uint32_t* part, uint32_t g, uint32_t t) {
        b[t][g] = fromTf32(part[0]);
        b[t + 4][g] = fromTf32(part[1]);
      });
}

void completeBfloat16(void* const* data) {
  multiply<16>(
      data,
      [](float(*a)[16], const uint32_t* part, uint32_t g, uint32_t t) {
        for (uint32_t i = 0; i < 4; ++i) {
          const uint32_t row = g + (i % 2) * 8;
          const uint32_t column = 2 * t + (i / 2) * 8;
          a[row][column] = lowerBfloat16(part[i]);
          a[row][column + 1] = upperBfloat16(part[i]);
        }
      },
      [](float(*b)[8], const uint32_t* part, uint32_t g, uint32_t t) {
        for (uint32_t i = 0; i < 2; ++i) {
          b[2 * t + i * 8][g] = lowerBfloat16(part[i]);
          b[2 * t + i * 8 + 1][g] = upperBfloat16(part[i]);
        }
      });
}

struct Load {
  uint32_t* r;
  const void* row;
};

template <bool Transposed>
void completeLoad(void* const* data) {
  uint16_t matrices[4][8][8];
  for (uint32_t lane = 0; lane < 32; ++lane) {
    if (data[lane] == nullptr) fail("loadMatrices by a warp of which lane %u has ended", lane);
    std::memcpy(matrices[lane / 8][lane % 8], static_cast<const Load*>(data[lane])->row, 16);
  }
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t g = lane / 4;
    const uint32_t t = lane % 4;
    for (uint32_t m = 0; m < 4; ++m) {
      const uint32_t low = Transposed ? matrices[m][2 * t][g] : matrices[m][g][2 * t];
      const uint32_t high = Transposed ? matrices[m][2 * t + 1][g] : matrices[m][g][2 * t + 1];
      static_cast<const Load*>(data[lane])->r[m] = high << 16 | low;
    }
  }
}

}  // namespace

void startCopy(void* shared, const void* global, bool present) {
  requireAligned(shared, "copyAsync16 to shared memory");
  requireShared(shared, "copyAsync16");
  if (present) {
    requireAligned(global, "copyAsync16 from global memory");
    requireCardMemory(global, 16, "copyAsync16");
  }
  copyLater(shared, present ? global : nullptr);
}

uint32_t roundToTf32(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return 0x7FFFFFFFu;
  if ((bits & 0x7FFFFFFFu) == 0x7F800000u) return bits;
  return (bits + 0x1000u) & ~0x1FFFu;
}

void multiplyTf32(float* d, const uint32_t* a, const uint32_t* b, Place place) {
  Product product{d, a, b};
  meetWarp({"multiplyTf32", kAllLanes, &completeTf32, &product, place});
}

void multiplyBfloat16(float* d, const uint32_t* a, const uint32_t* b, Place place) {
  Product product{d, a, b};
  meetWarp({"multiplyBfloat16", kAllLanes, &completeBfloat16, &product, place});
}

void loadMatrices(uint32_t* r, const void* row, bool transposed, Place place) {
  requireAligned(row, "loadMatrices");
  requireShared(row, "loadMatrices");
  Load load{r, row};
  meetWarp({transposed ? "loadMatricesTransposed" : "loadMatrices", kAllLanes,
            transposed ? &completeLoad<true> : &completeLoad<false>, &load, place});
}

}  // namespace espalier::emulation
