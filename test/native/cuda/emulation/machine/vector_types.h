#pragma once

#include <cstdint>

// CUDA's vector types, aligned as on the card, so that UndefinedBehaviorSanitizer sees a misaligned access.

#define ESPALIER_VECTOR_1(name, type, alignment) \
  struct alignas(alignment) name##1 {            \
    type x;                                      \
  };                                             \
  inline name##1 make_##name##1(type x) {        \
    return {x};                                  \
  }
#define ESPALIER_VECTOR_2(name, type, alignment)  \
  struct alignas(alignment) name##2 {             \
    type x, y;                                    \
  };                                              \
  inline name##2 make_##name##2(type x, type y) { \
    return {x, y};                                \
  }
#define ESPALIER_VECTOR_3(name, type, alignment)          \
  struct alignas(alignment) name##3 {                     \
    type x, y, z;                                         \
  };                                                      \
  inline name##3 make_##name##3(type x, type y, type z) { \
    return {x, y, z};                                     \
  }
#define ESPALIER_VECTOR_4(name, type, alignment)                  \
  struct alignas(alignment) name##4 {                             \
    type x, y, z, w;                                              \
  };                                                              \
  inline name##4 make_##name##4(type x, type y, type z, type w) { \
    return {x, y, z, w};                                          \
  }
#define ESPALIER_VECTORS(name, type, size) \
  ESPALIER_VECTOR_1(name, type, size)      \
  ESPALIER_VECTOR_2(name, type, 2 * size)  \
  ESPALIER_VECTOR_3(name, type, size)      \
  ESPALIER_VECTOR_4(name, type, (size > 4 ? 16 : 4 * size))

ESPALIER_VECTORS(char, signed char, 1)
ESPALIER_VECTORS(uchar, unsigned char, 1)
ESPALIER_VECTORS(short, short, 2)
ESPALIER_VECTORS(ushort, unsigned short, 2)
ESPALIER_VECTORS(int, int, 4)
ESPALIER_VECTORS(uint, unsigned, 4)
ESPALIER_VECTORS(float, float, 4)
ESPALIER_VECTORS(longlong, long long, 8)
ESPALIER_VECTORS(ulonglong, unsigned long long, 8)
ESPALIER_VECTORS(double, double, 8)

#undef ESPALIER_VECTORS
#undef ESPALIER_VECTOR_1
#undef ESPALIER_VECTOR_2
#undef ESPALIER_VECTOR_3
#undef ESPALIER_VECTOR_4

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
};
