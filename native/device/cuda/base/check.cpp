#include "device/cuda/base/check.h"

#include <string>

#include "base/error.h"

namespace espalier::cuda {

void check(cudaError_t status, const char* deed) {
  if (status == cudaSuccess) return;
  // Clears what is not sticky, so that the next network does not trip over this one's error.
  (void)cudaGetLastError();
  throw Error(ErrorCode::Device, std::string("CUDA could not ") + deed + ": " + cudaGetErrorString(status) +
                                     " (" + cudaGetErrorName(status) + ")");
}

}  // namespace espalier::cuda
