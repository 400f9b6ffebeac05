#include "ceilings.h"

#include <algorithm>

#include "attempt.h"
#include "device/cuda/libraries/blas.h"
#include "device/cuda/libraries/cusparse_products.h"
#include "kernels.h"
#include "wide_workspace.h"

namespace espalier::cuda::bench {
namespace {

/// 0 where the card does not say.
int attribute(cudaDeviceAttr name) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, name, 0) == cudaSuccess) return value;
  (void)cudaGetLastError();
  return 0;
}

/// What one clock of a multiprocessor brings from its first-level cache or shared memory.
constexpr double kBytesPerClock = 128;

void print(const char* name, double value, const char* unit) {
  Record("ceiling").add("name", name).add("value", value).add("unit", unit).print();
}

}  // namespace

void printHeader(const Context& context, Scale scale) {
  int driver = 0, runtime = 0, blas = 0;
  check(cudaDriverGetVersion(&driver), "ask for the driver's version");
  check(cudaRuntimeGetVersion(&runtime), "ask for the runtime's version");
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "ask for free memory");
  Context own;
  const Blas library(own);
  (void)cublasGetVersion(library.handle(), &blas);
  const SparseLibrary sparse(own);
  Record("header")
      .add("card", context.card.name)
      .add("capability", context.card.capability)
      .add("multiprocessors", context.card.multiprocessors)
      .add("cacheBytes", context.card.cacheBytes)
      .add("memoryBytes", static_cast<int64_t>(total))
      .add("freeBytes", static_cast<int64_t>(free))
      .add("clockKilohertz", attribute(cudaDevAttrClockRate))
      .add("memoryClockKilohertz", attribute(cudaDevAttrMemoryClockRate))
      .add("driver", driver)
      .add("runtime", runtime)
      .add("cublas", blas)
      .add("cusparse", sparse.version())
      .add("scale", nameOf(scale))
      .print();
}

void measureCeilings(Context& context, const Options& options) {
  const bool tiny = options.scale == Scale::Tiny;
  Timer timer(context, options.scale);
  const auto perSecond = [&](double amount, const std::function<void()>& work) {
    return amount / (timer.time(work).median * 1e-6);
  };

  guarded(context, "copy bandwidth", [&] {
    DeviceBuffer<float> from(context.memory, tiny ? 1024 : int64_t{256} << 20),
        to(context.memory, from.size());
    fillUniform(context, from.data(), from.size(), 1);
    const double bytes = 2.0 * static_cast<double>(from.bytes());
    print("copy", perSecond(bytes, [&] { to.copyFrom(from); }) * 1e-9, "GB/s");
  });

  DeviceBuffer<float> sink(context.memory, ceilingSinkSize(context.card));
  guarded(context, "second-level cache", [&] {
    DeviceBuffer<float> buffer(context.memory, tiny ? 16384 : 4 << 20);
    fillUniform(context, buffer.data(), buffer.size(), 2);
    int64_t bytes = 0;
    const Timing timing =
        timer.time([&] { bytes = readRepeatedly(context, buffer.data(), buffer.bytes(), sink.data()); });
    print("L2 read", static_cast<double>(bytes) / timing.median * 1e-3, "GB/s");
  });

  const double clock = 1000.0 * attribute(cudaDevAttrClockRate);
  const double bound = kBytesPerClock * clock * context.card.multiprocessors;
  // A multiply-add for every 4 bytes.
  print("gather bound", bound / 4 * 2 * 1e-12, "TFLOP/s");
  guarded(context, "gathering from shared memory", [&] {
    int64_t bytes = 0;
    const Timing timing = timer.time([&] { bytes = gatherShared(context, tiny ? 4 : 512, sink.data()); });
    print("gather measured", static_cast<double>(bytes) / timing.median * 1e-6 / 4 * 2, "TFLOP/s");
  });

  guarded(context, "dense products", [&] {
    const int64_t size = tiny ? 16 : 8192;
    Blas blas(context);
    blas.setPedantic(false);
    const DeviceBuffer<unsigned char> workspace = widenWorkspace(context, blas);
    const LayerFeatures features(context, size, static_cast<int32_t>(size));
    DeviceBuffer<float> output(context.memory, features.size());
    for (const Precision precision : {Precision::Float32, Precision::Tf32, Precision::Bfloat16}) {
      const Features weight = features.outputGradient(precision);
      const double operations =
          2.0 * static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size);
      const double rate = perSecond(operations, [&] {
        blas.multiply(weight.values, weight.rounded, size, size, features.input(precision), output.data(),
                      size, precision);
      });
      print((std::string("dense ") + nameOf(precision)).c_str(), rate * 1e-12, "TFLOP/s");
    }
  });
}

}  // namespace espalier::cuda::bench
