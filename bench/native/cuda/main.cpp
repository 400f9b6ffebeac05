// espalier_cuda_bench PART [--scale tiny|quick|full] [--seconds N]: measures one part of the CUDA benchmark
// and writes one JSON object a line. bench/cuda.ts runs the parts one after the other, each in a process of
// its own, so that a part that fails leaves the others alone.

#include <cstdio>
#include <exception>

#include "ceilings.h"
#include "products.h"
#include "steps.h"

namespace espalier::cuda::bench {
namespace {

void measurePart(const Options& options) {
  Context context;
  Budget budget(options.seconds);
  if (options.part == "ceilings") {
    printHeader(context, options.scale);
    measureCeilings(context, options);
  } else if (options.part == "dense") {
    measureDenseProducts(context, options, budget);
  } else if (options.part == "sparse") {
    measureSparseProducts(context, options, budget);
  } else if (options.part == "blocks") {
    measureBlockProducts(context, options, budget);
  } else if (options.part == "steps") {
    measureSteps(context, options, budget);
  } else {
    throw Error(ErrorCode::Option,
                "the part must be ceilings, dense, sparse, blocks or steps, not \"" + options.part + "\"");
  }
  budget.printLeftOut();
  Record("end").add("part", options.part).add("seconds", budget.elapsed()).print();
}

}  // namespace
}  // namespace espalier::cuda::bench

int main(int count, char** arguments) {
  using namespace espalier::cuda::bench;
  try {
    measurePart(parseOptions(count, arguments));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "espalier_cuda_bench: %s\n", error.what());
    return 1;
  }
}
