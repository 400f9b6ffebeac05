#include "library_products.h"

#include <string>

namespace espalier::cuda::bench {
namespace {

// cuSPARSE 12.5.1 brought products of block CSR matrices.
#if defined(CUSPARSE_VERSION) && CUSPARSE_VERSION >= 12501
constexpr bool kHasBlocks = true;
constexpr cusparseSpMMAlg_t kBlockAlgorithm = CUSPARSE_SPMM_BSR_ALG1;
cusparseStatus_t createBlocks(cusparseSpMatDescr_t* matrix, const SparseView& view, void* values,
                              cudaDataType type) {
  return cusparseCreateBsr(matrix, view.blockRows, view.blockColumns, view.entries, view.blockOutputs,
                           view.blockInputs, const_cast<int32_t*>(view.offsets),
                           const_cast<int32_t*>(view.indices), values, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I,
                           CUSPARSE_INDEX_BASE_ZERO, type, CUSPARSE_ORDER_ROW);
}
#else
constexpr bool kHasBlocks = false;
constexpr cusparseSpMMAlg_t kBlockAlgorithm = CUSPARSE_SPMM_ALG_DEFAULT;
cusparseStatus_t createBlocks(cusparseSpMatDescr_t*, const SparseView&, void*, cudaDataType) {
  return CUSPARSE_STATUS_NOT_SUPPORTED;
}
#endif

constexpr cusparseOperation_t kPlain = CUSPARSE_OPERATION_NON_TRANSPOSE;
constexpr float kOne = 1.0f;
constexpr float kZero = 0.0f;

void checkLibrary(cusparseStatus_t status, const char* deed) {
  require(status == CUSPARSE_STATUS_SUCCESS, ErrorCode::Device,
          std::string("cuSPARSE could not ") + deed + ": " + cusparseGetErrorString(status));
}

class Sparse {
 public:
  Sparse(LibraryAlgorithm algorithm, const SparseView& view, void* values, cudaDataType type) {
    if (algorithm == LibraryAlgorithm::Bsr) {
      checkLibrary(createBlocks(&descriptor_, view, values, type), "describe a block matrix");
      return;
    }
    checkLibrary(
        cusparseCreateCsr(&descriptor_, view.blockRows, view.blockColumns, view.entries,
                          const_cast<int32_t*>(view.offsets), const_cast<int32_t*>(view.indices), values,
                          CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, type),
        "describe a matrix");
  }
  Sparse(const Sparse&) = delete;
  Sparse& operator=(const Sparse&) = delete;
  ~Sparse() { cusparseDestroySpMat(descriptor_); }
  cusparseSpMatDescr_t get() const { return descriptor_; }

 private:
  cusparseSpMatDescr_t descriptor_ = nullptr;
};

class Dense {
 public:
  Dense(int64_t rows, int64_t columns, void* values, cudaDataType type) {
    checkLibrary(cusparseCreateDnMat(&descriptor_, rows, columns, columns, values, type, CUSPARSE_ORDER_ROW),
                 "describe a dense matrix");
  }
  Dense(const Dense&) = delete;
  Dense& operator=(const Dense&) = delete;
  ~Dense() { cusparseDestroyDnMat(descriptor_); }
  cusparseDnMatDescr_t get() const { return descriptor_; }

 private:
  cusparseDnMatDescr_t descriptor_ = nullptr;
};

int64_t inputsOf(const SparseView& view) {
  return int64_t{view.blockColumns} * view.blockInputs;
}
int64_t outputsOf(const SparseView& view) {
  return int64_t{view.blockRows} * view.blockOutputs;
}

cusparseSpMMAlg_t nativeAlgorithm(LibraryAlgorithm algorithm) {
  if (algorithm == LibraryAlgorithm::Bsr) return kBlockAlgorithm;
  return algorithm == LibraryAlgorithm::CsrAlgorithm2 ? CUSPARSE_SPMM_CSR_ALG2 : CUSPARSE_SPMM_CSR_ALG3;
}

}  // namespace

bool hasLibraryBlocks() {
  return kHasBlocks;
}

struct LibrarySpmm::Parts {
  Sparse matrix;
  Dense input;
  Dense output;
};

void LibrarySpmm::Deleter::operator()(Parts* parts) const {
  delete parts;
}

LibrarySpmm::LibrarySpmm(Context& context, SparseLibrary& library, LibraryAlgorithm algorithm,
                         const SparseView& matrix, const LibraryOperands& operands, float* output)
    : library_(library), algorithm_(algorithm) {
  const bool rounded = operands.roundedValues != nullptr;
  const cudaDataType type = rounded ? CUDA_R_16BF : CUDA_R_32F;
  const void* const values = rounded ? static_cast<const void*>(operands.roundedValues) : operands.values;
  const void* const input =
      rounded ? static_cast<const void*>(operands.input.rounded) : operands.input.values;
  parts_.reset(new Parts{{algorithm, matrix, const_cast<void*>(values), type},
                         {inputsOf(matrix), operands.stride, const_cast<void*>(input), type},
                         {outputsOf(matrix), operands.stride, output, CUDA_R_32F}});
  size_t bytes = 0;
  checkLibrary(cusparseSpMM_bufferSize(library.handle(), kPlain, kPlain, &kOne, parts_->matrix.get(),
                                       parts_->input.get(), &kZero, parts_->output.get(), CUDA_R_32F,
                                       nativeAlgorithm(algorithm), &bytes),
               "size a product");
  scratch_ = DeviceBuffer<unsigned char>(context.memory, static_cast<int64_t>(bytes));
  if (algorithm == LibraryAlgorithm::Bsr) return;
  checkLibrary(cusparseSpMM_preprocess(library.handle(), kPlain, kPlain, &kOne, parts_->matrix.get(),
                                       parts_->input.get(), &kZero, parts_->output.get(), CUDA_R_32F,
                                       nativeAlgorithm(algorithm), scratch_.data()),
               "prepare a product");
}

void LibrarySpmm::run() {
  checkLibrary(
      cusparseSpMM(library_.handle(), kPlain, kPlain, &kOne, parts_->matrix.get(), parts_->input.get(),
                   &kZero, parts_->output.get(), CUDA_R_32F, nativeAlgorithm(algorithm_), scratch_.data()),
      "multiply");
}

struct LibraryBlockSddmm::Parts {
  Dense outputGradient;
  /// Stored as it lies; the product takes its transpose.
  Dense input;
  Sparse gradient;
};

void LibraryBlockSddmm::Deleter::operator()(Parts* parts) const {
  delete parts;
}

LibraryBlockSddmm::LibraryBlockSddmm(Context& context, SparseLibrary& library, const SparseView& forward,
                                     const float* outputGradient, const float* input, int64_t stride,
                                     float* gradient)
    : library_(library),
      parts_(new Parts{{outputsOf(forward), stride, const_cast<float*>(outputGradient), CUDA_R_32F},
                       {inputsOf(forward), stride, const_cast<float*>(input), CUDA_R_32F},
                       {LibraryAlgorithm::Bsr, forward, gradient, CUDA_R_32F}}) {
  size_t bytes = 0;
  checkLibrary(
      cusparseSDDMM_bufferSize(library.handle(), kPlain, CUSPARSE_OPERATION_TRANSPOSE, &kOne,
                               parts_->outputGradient.get(), parts_->input.get(), &kZero,
                               parts_->gradient.get(), CUDA_R_32F, CUSPARSE_SDDMM_ALG_DEFAULT, &bytes),
      "size a sampled product");
  scratch_ = DeviceBuffer<unsigned char>(context.memory, static_cast<int64_t>(bytes));
  checkLibrary(cusparseSDDMM_preprocess(library.handle(), kPlain, CUSPARSE_OPERATION_TRANSPOSE, &kOne,
                                        parts_->outputGradient.get(), parts_->input.get(), &kZero,
                                        parts_->gradient.get(), CUDA_R_32F, CUSPARSE_SDDMM_ALG_DEFAULT,
                                        scratch_.data()),
               "prepare a sampled product");
}

void LibraryBlockSddmm::run() {
  checkLibrary(cusparseSDDMM(library_.handle(), kPlain, CUSPARSE_OPERATION_TRANSPOSE, &kOne,
                             parts_->outputGradient.get(), parts_->input.get(), &kZero,
                             parts_->gradient.get(), CUDA_R_32F, CUSPARSE_SDDMM_ALG_DEFAULT, scratch_.data()),
               "multiply a sampled product");
}

}  // namespace espalier::cuda::bench
