#include "wide_workspace.h"

namespace espalier::cuda::bench {
namespace {

constexpr int64_t kBytes = int64_t{32} << 20;

}  // namespace

DeviceBuffer<unsigned char> widenWorkspace(Context& context, const Blas& blas) {
  DeviceBuffer<unsigned char> workspace(context.memory, kBytes);
  require(cublasSetWorkspace(blas.handle(), workspace.data(), static_cast<size_t>(kBytes)) ==
              CUBLAS_STATUS_SUCCESS,
          ErrorCode::Device, "cuBLAS refused a workspace");
  return workspace;
}

}  // namespace espalier::cuda::bench
