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

template <int64_t... kStrides>
using Strides = std::integer_sequence<int64_t, kStrides...>;
/// Those of batches that are powers of two.
using UsualStrides = Strides<64, 128, 256>;
/// Those of all panels of 128 samples at most, too.
using AllStrides = Strides<16, 32, 48, 64, 80, 96, 112, 128, 256>;

/// Calls work(stride), with the stride known when compiling if it is one of these, where that was measured to
/// pay.
template <typename Work, int64_t kFirst, int64_t... kRest>
inline void withStride(int64_t stride, Strides<kFirst, kRest...>, const Work& work) {
  if constexpr (Vec::kKnowsStrides && !kInstrumented) {
    if (stride == kFirst) return work(std::integral_constant<int64_t, kFirst>());
    if constexpr (sizeof...(kRest) > 0) return withStride(stride, Strides<kRest...>(), work);
  }
  work(stride);
}

/// The same with the elements of a row, of which there are fewer than samples where some share one.
template <typename Element, typename Work>
inline void withPitch(int64_t stride, const Work& work) {
  constexpr int64_t kSamples = Elements<Element>::kVectors;
  withStride(stride, AllStrides(), [&](auto known) {
    if constexpr (std::is_class_v<decltype(known)>) {
      work(std::integral_constant<int64_t, decltype(known)::value / kSamples>());
    } else {
      work(known / kSamples);
    }
  });
}
