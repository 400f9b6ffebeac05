#include "device/cuda/libraries/cusparse_products.h"

#include <string>

namespace espalier::cuda {
namespace {

void checkSparse(cusparseStatus_t status, const char* deed) {
  if (status == CUSPARSE_STATUS_SUCCESS) return;
  const CardMemory free = cardMemory();
  // Where it cannot start, it does not say why.
  const bool memory = status == CUSPARSE_STATUS_ALLOC_FAILED ||
                      status == CUSPARSE_STATUS_INSUFFICIENT_RESOURCES ||
                      (status == CUSPARSE_STATUS_NOT_INITIALIZED && free.isShort());
  throw Error(memory ? ErrorCode::Memory : ErrorCode::Device,
              std::string("cuSPARSE could not ") + deed + ": " + cusparseGetErrorString(status) +
                  (memory ? "; bytes of the GPU: " + free.text() : std::string()));
}

const float kOne = 1;
const float kZero = 0;

struct SparseDeleter {
  using pointer = cusparseSpMatDescr_t;
  void operator()(cusparseSpMatDescr_t matrix) const { (void)cusparseDestroySpMat(matrix); }
};
struct DenseDeleter {
  using pointer = cusparseDnMatDescr_t;
  void operator()(cusparseDnMatDescr_t matrix) const { (void)cusparseDestroyDnMat(matrix); }
};
using SparseDescriptor = std::unique_ptr<cusparseSpMatDescr_t, SparseDeleter>;
using DenseDescriptor = std::unique_ptr<cusparseDnMatDescr_t, DenseDeleter>;

// The descriptors of constant arrays are another type, and SDDMM writes into a sparse one, so all are of the
// plain type: what is const here is never written.

SparseDescriptor describe(const SparseView& view, const float* values) {
  require(view.blockOutputs == 1 && view.blockInputs == 1 && view.valueIndex == nullptr, ErrorCode::Internal,
          "cuSPARSE takes matrices of 1 x 1 blocks with values in their own order");
  cusparseSpMatDescr_t matrix = nullptr;
  checkSparse(cusparseCreateCsr(&matrix, view.blockRows, view.blockColumns, view.entries,
                                const_cast<int32_t*>(view.offsets), const_cast<int32_t*>(view.indices),
                                const_cast<float*>(values), CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I,
                                CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F),
              "describe a sparse matrix");
  return SparseDescriptor(matrix);
}

DenseDescriptor describe(const float* values, int64_t rows, int64_t columns) {
  cusparseDnMatDescr_t matrix = nullptr;
  checkSparse(cusparseCreateDnMat(&matrix, rows, columns, columns, const_cast<float*>(values), CUDA_R_32F,
                                  CUSPARSE_ORDER_ROW),
              "describe a matrix");
  return DenseDescriptor(matrix);
}

/// What is there is lost. Another pattern of as many entries may need more.
void growTo(DeviceBuffer<unsigned char>& scratch, DeviceMemory& memory, size_t bytes) {
  if (static_cast<int64_t>(bytes) <= scratch.bytes()) return;
  scratch = {};
  scratch = DeviceBuffer<unsigned char>(memory, static_cast<int64_t>(bytes));
}

}  // namespace

SparseLibrary::SparseLibrary(Context& context) {
  cusparseHandle_t handle = nullptr;
  {
    const auto turn = captureTurn();
    checkSparse(cusparseCreate(&handle), "start");
  }
  handle_.reset(handle);
  checkSparse(cusparseSetStream(handle, context.stream.get()), "take a stream");
}

int SparseLibrary::version() const {
  int version = 0;
  checkSparse(cusparseGetVersion(handle(), &version), "tell its version");
  return version;
}

// CSR_ALG2 is cuSPARSE's own choice for row-major operands, but may sum in another order at every run;
// CSR_ALG3 gives equal bits, and is one of the two that gain by preprocessing. An analysis binds the buffer
// to the descriptor and to these indices (values may change), so a changed pattern gets a fresh descriptor.

struct CusparseSpmm::Descriptors {
  SparseView view;
  SparseDescriptor matrix;
  DenseDescriptor input;
  DenseDescriptor output;

  static constexpr cusparseOperation_t kPlain = CUSPARSE_OPERATION_NON_TRANSPOSE;
  static constexpr cusparseSpMMAlg_t kAlgorithm = CUSPARSE_SPMM_CSR_ALG3;

  size_t scratchBytes(cusparseHandle_t handle) const {
    size_t bytes = 0;
    checkSparse(cusparseSpMM_bufferSize(handle, kPlain, kPlain, &kOne, matrix.get(), input.get(), &kZero,
                                        output.get(), CUDA_R_32F, kAlgorithm, &bytes),
                "size a sparse product");
    return bytes;
  }
};

void CusparseSpmm::Deleter::operator()(Descriptors* descriptors) const {
  delete descriptors;
}

CusparseSpmm::CusparseSpmm(Context& context, SparseLibrary& library, const SparseView& matrix,
                           const float* input, float* output, int64_t stride)
    : library_(library),
      descriptors_(new Descriptors{matrix, describe(matrix, matrix.values),
                                   describe(input, matrix.blockColumns, stride),
                                   describe(output, matrix.blockRows, stride)}),
      memory_(context.memory) {}

void CusparseSpmm::prepare() {
  Descriptors& d = *descriptors_;
  d.matrix = describe(d.view, d.view.values);
  growTo(scratch_, memory_, d.scratchBytes(library_.handle()));
  checkSparse(cusparseSpMM_preprocess(library_.handle(), Descriptors::kPlain, Descriptors::kPlain, &kOne,
                                      d.matrix.get(), d.input.get(), &kZero, d.output.get(), CUDA_R_32F,
                                      Descriptors::kAlgorithm, scratch_.data()),
              "analyse a sparse matrix");
}

void CusparseSpmm::run() {
  const Descriptors& d = *descriptors_;
  checkSparse(cusparseSpMM(library_.handle(), Descriptors::kPlain, Descriptors::kPlain, &kOne, d.matrix.get(),
                           d.input.get(), &kZero, d.output.get(), CUDA_R_32F, Descriptors::kAlgorithm,
                           scratch_.data()),
              "multiply by a sparse matrix");
}

int64_t CusparseSpmm::bytes() const {
  return scratch_.bytes();
}

// Of the layouts that cuSPARSE takes, this is one it calls fast: left row-major and plain, right row-major
// and transposed, so that both are walked along their rows.

struct CusparseSddmm::Descriptors {
  SparseView view;
  float* values;
  SparseDescriptor gradient;
  DenseDescriptor outputGradient;
  DenseDescriptor input;

  static constexpr cusparseOperation_t kLeft = CUSPARSE_OPERATION_NON_TRANSPOSE;
  static constexpr cusparseOperation_t kRight = CUSPARSE_OPERATION_TRANSPOSE;
  static constexpr cusparseSDDMMAlg_t kAlgorithm = CUSPARSE_SDDMM_ALG_DEFAULT;

  size_t scratchBytes(cusparseHandle_t handle) const {
    size_t bytes = 0;
    checkSparse(cusparseSDDMM_bufferSize(handle, kLeft, kRight, &kOne, outputGradient.get(), input.get(),
                                         &kZero, gradient.get(), CUDA_R_32F, kAlgorithm, &bytes),
                "size a sampled product");
    return bytes;
  }
};

void CusparseSddmm::Deleter::operator()(Descriptors* descriptors) const {
  delete descriptors;
}

CusparseSddmm::CusparseSddmm(Context& context, SparseLibrary& library, const SparseView& forward,
                             const float* outputGradient, const float* input, int64_t stride, float* gradient)
    : library_(library),
      descriptors_(new Descriptors{forward, gradient, describe(forward, gradient),
                                   describe(outputGradient, forward.blockRows, stride),
                                   describe(input, forward.blockColumns, stride)}),
      memory_(context.memory) {}

void CusparseSddmm::prepare() {
  Descriptors& d = *descriptors_;
  d.gradient = describe(d.view, d.values);
  growTo(scratch_, memory_, d.scratchBytes(library_.handle()));
  checkSparse(cusparseSDDMM_preprocess(library_.handle(), Descriptors::kLeft, Descriptors::kRight, &kOne,
                                       d.outputGradient.get(), d.input.get(), &kZero, d.gradient.get(),
                                       CUDA_R_32F, Descriptors::kAlgorithm, scratch_.data()),
              "analyse a sparse matrix");
}

void CusparseSddmm::run() {
  const Descriptors& d = *descriptors_;
  checkSparse(cusparseSDDMM(library_.handle(), Descriptors::kLeft, Descriptors::kRight, &kOne,
                            d.outputGradient.get(), d.input.get(), &kZero, d.gradient.get(), CUDA_R_32F,
                            Descriptors::kAlgorithm, scratch_.data()),
              "multiply at the entries of a sparse matrix");
}

int64_t CusparseSddmm::bytes() const {
  return scratch_.bytes();
}

}  // namespace espalier::cuda
