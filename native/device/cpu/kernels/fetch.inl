// Fetching ahead where the processor does not see what comes.

/// Rows between asking and using.
constexpr int64_t kEntriesAhead = 4;
constexpr int64_t kLookupsAhead = 2;
/// Inputs of a row between asking and using.
constexpr int kInputsAhead = 12;

/// The first cache lines of some numbers; what follows in a long run the processor does see.
template <typename Number>
inline void fetchLines(const Number* numbers, int64_t count) {
  constexpr int64_t kLine = 64 / sizeof(Number), kMost = 8 * kLine;
  for (int64_t i = 0; i < std::min(count, kMost) + kLine - 1; i += kLine) __builtin_prefetch(numbers + i);
}

/// All cache lines of `count` samples, which begin with a line.
template <typename Element>
[[gnu::always_inline]] inline void fetchSamples(const Element* from, int64_t count) {
  constexpr int64_t kLine = 64 / sizeof(Element);
  for (int64_t at = 0; at < count; at += kLine) __builtin_prefetch(from + at);
}

/// The same address, computed by itself: GCC would compute many in a vector, and take them apart again.
template <typename Number>
[[gnu::always_inline]] inline const Number* scalarAddress(const Number* p) {
  asm("" : "+r"(p));
  return p;
}

/// GCC takes away calls of functions that do nothing but fetch ahead.
[[gnu::always_inline]] inline void keepCalls() {
  asm volatile("");
}

/// One more copy of every product for each stride would take sanitizers minutes to compile.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;
#else
constexpr bool kInstrumented = false;
#endif

/// Calls work(stride), with the strides that panels mostly have known when compiling, where that was measured
/// to pay.
template <typename Work>
inline void withStride(int64_t stride, const Work& work) {
  if constexpr (Vec::kKnowsStrides && !kInstrumented) {
    if (stride == 64) return work(std::integral_constant<int64_t, 64>());
    if (stride == 128) return work(std::integral_constant<int64_t, 128>());
    if (stride == 256) return work(std::integral_constant<int64_t, 256>());
  }
  work(stride);
}

/// The same with the elements of a row, of which there are fewer than samples where some share one.
template <typename Element, typename Work>
inline void withPitch(int64_t stride, const Work& work) {
  constexpr int64_t kSamples = Elements<Element>::kVectors;
  withStride(stride, [&](auto known) {
    if constexpr (std::is_class_v<decltype(known)>) {
      work(std::integral_constant<int64_t, decltype(known)::value / kSamples>());
    } else {
      work(known / kSamples);
    }
  });
}
