#include "../cusparse.h"

#include <atomic>
#include <cstring>

#include "block.h"
#include "environment.h"
#include "runtime.h"

using namespace espalier::emulation;

struct cusparseContext {
  cudaStream_t stream = nullptr;
};

struct cusparseSpMatDescr {
  int64_t rows, columns, entries;
  const int32_t* rowOffsets;
  const int32_t* columnIndices;
  float* values;
  /// How many were made before.
  int64_t number;
};

struct cusparseDnMatDescr {
  int64_t rows, columns, leading;
  float* values;
};

namespace {

constexpr int kVersion = 12603;

/// What preprocess leaves at the start of the buffer.
struct Note {
  uint64_t sign;
  uint64_t pattern;
};
constexpr uint64_t kSign = 0x657370616C696572;

std::atomic<int64_t> matrices{0};

/// Bytes asked for; more than the note, so that a buffer of too few bytes shows. Another matrix of as many
/// entries may need more: what a library makes of a pattern is its own affair.
size_t bufferBytes(const cusparseSpMatDescr& matrix) {
  return sizeof(Note) + 16 * static_cast<size_t>(matrix.rows + 1 + matrix.number % 3);
}

uint64_t hash(const cusparseSpMatDescr& matrix) {
  uint64_t state = 0xCBF29CE484222325;
  const auto mix = [&](int32_t value) { state = (state ^ static_cast<uint32_t>(value)) * 0x100000001B3; };
  for (int64_t i = 0; i <= matrix.rows; ++i) mix(matrix.rowOffsets[i]);
  for (int64_t i = 0; i < matrix.entries; ++i) mix(matrix.columnIndices[i]);
  return state;
}

void check(const cusparseSpMatDescr& matrix) {
  requireCardMemory(matrix.rowOffsets, static_cast<size_t>(matrix.rows + 1) * 4, "cuSPARSE, row offsets");
  requireCardMemory(matrix.columnIndices, static_cast<size_t>(matrix.entries) * 4,
                    "cuSPARSE, column indices");
  requireCardMemory(matrix.values, static_cast<size_t>(matrix.entries) * 4, "cuSPARSE, values");
  if (matrix.rowOffsets[0] != 0 || matrix.rowOffsets[matrix.rows] != matrix.entries) {
    fail("cuSPARSE: row offsets run from %d to %d, of %lld entries", matrix.rowOffsets[0],
         matrix.rowOffsets[matrix.rows], static_cast<long long>(matrix.entries));
  }
}

void check(const cusparseDnMatDescr& matrix) {
  if (matrix.rows == 0 || matrix.columns == 0) return;
  requireCardMemory(matrix.values,
                    static_cast<size_t>((matrix.rows - 1) * matrix.leading + matrix.columns) * 4,
                    "cuSPARSE, a dense matrix");
}

void note(const cusparseSpMatDescr& matrix, void* buffer) {
  check(matrix);
  requireCardMemory(buffer, bufferBytes(matrix), "cuSPARSE, the buffer");
  std::memset(buffer, 0xFF, bufferBytes(matrix));
  const Note note{kSign, hash(matrix)};
  std::memcpy(buffer, &note, sizeof(note));
}

void checkNote(const cusparseSpMatDescr& matrix, const void* buffer) {
  check(matrix);
  requireCardMemory(buffer, bufferBytes(matrix), "cuSPARSE, the buffer");
  Note note;
  std::memcpy(&note, buffer, sizeof(note));
  if (note.sign == kSign && note.pattern != hash(matrix)) {
    fail("cuSPARSE: the pattern has changed since it was preprocessed");
  }
}

void multiply(const cusparseSpMatDescr& a, const cusparseDnMatDescr& b, const cusparseDnMatDescr& c,
              float alpha, float beta) {
  check(b);
  check(c);
  for (int64_t row = 0; row < a.rows; ++row) {
    for (int64_t column = 0; column < c.columns; ++column) {
      float sum = 0;
      for (int32_t i = a.rowOffsets[row]; i < a.rowOffsets[row + 1]; ++i) {
        sum += a.values[i] * b.values[a.columnIndices[i] * b.leading + column];
      }
      float& to = c.values[row * c.leading + column];
      to = beta == 0 ? alpha * sum : alpha * sum + beta * to;
    }
  }
}

void sample(const cusparseDnMatDescr& a, const cusparseDnMatDescr& b, bool transposeB,
            const cusparseSpMatDescr& c, float alpha, float beta) {
  check(a);
  check(b);
  for (int64_t row = 0; row < c.rows; ++row) {
    for (int32_t i = c.rowOffsets[row]; i < c.rowOffsets[row + 1]; ++i) {
      const int64_t column = c.columnIndices[i];
      float sum = 0;
      for (int64_t k = 0; k < a.columns; ++k) {
        sum += a.values[row * a.leading + k] *
               b.values[transposeB ? column * b.leading + k : k * b.leading + column];
      }
      // C is read even where beta is 0: NVIDIA does not say that it may hold NaN.
      c.values[i] = alpha * sum + beta * c.values[i];
    }
  }
}

cusparseStatus_t queue(cusparseHandle_t handle, std::function<void()> work) {
  const cudaError_t status = enqueue(handle->stream, [work = std::move(work)] {
    if (countLaunch() == cudaSuccess) work();
  });
  return status == cudaSuccess ? CUSPARSE_STATUS_SUCCESS : CUSPARSE_STATUS_EXECUTION_FAILED;
}

cusparseStatus_t checkSpmm(cusparseOperation_t transposeA, cusparseOperation_t transposeB,
                           const cusparseSpMatDescr& a, const cusparseDnMatDescr& b,
                           const cusparseDnMatDescr& c, cudaDataType computeType) {
  if (environment().failure == Failure::Cusparse) return CUSPARSE_STATUS_NOT_SUPPORTED;
  if (transposeA != CUSPARSE_OPERATION_NON_TRANSPOSE || transposeB != CUSPARSE_OPERATION_NON_TRANSPOSE ||
      computeType != CUDA_R_32F) {
    return CUSPARSE_STATUS_NOT_SUPPORTED;
  }
  const bool fits = a.columns == b.rows && a.rows == c.rows && b.columns == c.columns;
  return fits ? CUSPARSE_STATUS_SUCCESS : CUSPARSE_STATUS_INVALID_VALUE;
}

cusparseStatus_t checkSddmm(cusparseOperation_t transposeA, cusparseOperation_t transposeB,
                            const cusparseDnMatDescr& a, const cusparseDnMatDescr& b,
                            const cusparseSpMatDescr& c, cudaDataType computeType) {
  if (environment().failure == Failure::Cusparse) return CUSPARSE_STATUS_NOT_SUPPORTED;
  if (transposeA != CUSPARSE_OPERATION_NON_TRANSPOSE || computeType != CUDA_R_32F) {
    return CUSPARSE_STATUS_NOT_SUPPORTED;
  }
  const bool transposed = transposeB == CUSPARSE_OPERATION_TRANSPOSE;
  const int64_t depth = transposed ? b.columns : b.rows;
  const int64_t columns = transposed ? b.rows : b.columns;
  const bool fits = a.rows == c.rows && a.columns == depth && columns == c.columns;
  return fits ? CUSPARSE_STATUS_SUCCESS : CUSPARSE_STATUS_INVALID_VALUE;
}

float number(const void* value) {
  return *static_cast<const float*>(value);
}

}  // namespace

cusparseStatus_t cusparseCreate(cusparseHandle_t* handle) {
  if (cardState() != cudaSuccess || environment().failure == Failure::Libraries) {
    return CUSPARSE_STATUS_NOT_INITIALIZED;
  }
  *handle = new cusparseContext;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseDestroy(cusparseHandle_t handle) {
  waitForCard();
  delete handle;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSetStream(cusparseHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseGetVersion(cusparseHandle_t, int* version) {
  *version = kVersion;
  return CUSPARSE_STATUS_SUCCESS;
}

const char* cusparseGetErrorName(cusparseStatus_t status) {
  switch (status) {
    case CUSPARSE_STATUS_SUCCESS:
      return "CUSPARSE_STATUS_SUCCESS";
    case CUSPARSE_STATUS_NOT_INITIALIZED:
      return "CUSPARSE_STATUS_NOT_INITIALIZED";
    case CUSPARSE_STATUS_ALLOC_FAILED:
      return "CUSPARSE_STATUS_ALLOC_FAILED";
    case CUSPARSE_STATUS_INVALID_VALUE:
      return "CUSPARSE_STATUS_INVALID_VALUE";
    case CUSPARSE_STATUS_EXECUTION_FAILED:
      return "CUSPARSE_STATUS_EXECUTION_FAILED";
    case CUSPARSE_STATUS_INTERNAL_ERROR:
      return "CUSPARSE_STATUS_INTERNAL_ERROR";
    case CUSPARSE_STATUS_NOT_SUPPORTED:
      return "CUSPARSE_STATUS_NOT_SUPPORTED";
    case CUSPARSE_STATUS_INSUFFICIENT_RESOURCES:
      return "CUSPARSE_STATUS_INSUFFICIENT_RESOURCES";
  }
  return "unknown status";
}

const char* cusparseGetErrorString(cusparseStatus_t status) {
  return cusparseGetErrorName(status);
}

cusparseStatus_t cusparseCreateCsr(cusparseSpMatDescr_t* matrix, int64_t rows, int64_t columns,
                                   int64_t entries, void* rowOffsets, void* columnIndices, void* values,
                                   cusparseIndexType_t rowOffsetsType, cusparseIndexType_t columnIndicesType,
                                   cusparseIndexBase_t base, cudaDataType valueType) {
  if (rowOffsetsType != CUSPARSE_INDEX_32I || columnIndicesType != CUSPARSE_INDEX_32I ||
      base != CUSPARSE_INDEX_BASE_ZERO || valueType != CUDA_R_32F) {
    return CUSPARSE_STATUS_NOT_SUPPORTED;
  }
  if (rows < 0 || columns < 0 || entries < 0 || rowOffsets == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  *matrix = new cusparseSpMatDescr{rows,
                                   columns,
                                   entries,
                                   static_cast<const int32_t*>(rowOffsets),
                                   static_cast<const int32_t*>(columnIndices),
                                   static_cast<float*>(values),
                                   matrices++};
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseCreateConstCsr(cusparseConstSpMatDescr_t* matrix, int64_t rows, int64_t columns,
                                        int64_t entries, const void* rowOffsets, const void* columnIndices,
                                        const void* values, cusparseIndexType_t rowOffsetsType,
                                        cusparseIndexType_t columnIndicesType, cusparseIndexBase_t base,
                                        cudaDataType valueType) {
  cusparseSpMatDescr_t made = nullptr;
  const cusparseStatus_t status = cusparseCreateCsr(
      &made, rows, columns, entries, const_cast<void*>(rowOffsets), const_cast<void*>(columnIndices),
      const_cast<void*>(values), rowOffsetsType, columnIndicesType, base, valueType);
  *matrix = made;
  return status;
}

cusparseStatus_t cusparseDestroySpMat(cusparseConstSpMatDescr_t matrix) {
  delete matrix;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseCreateDnMat(cusparseDnMatDescr_t* matrix, int64_t rows, int64_t columns,
                                     int64_t leading, void* values, cudaDataType valueType,
                                     cusparseOrder_t order) {
  if (valueType != CUDA_R_32F || order != CUSPARSE_ORDER_ROW) return CUSPARSE_STATUS_NOT_SUPPORTED;
  if (rows < 0 || columns < 0 || leading < columns) return CUSPARSE_STATUS_INVALID_VALUE;
  *matrix = new cusparseDnMatDescr{rows, columns, leading, static_cast<float*>(values)};
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseCreateConstDnMat(cusparseConstDnMatDescr_t* matrix, int64_t rows, int64_t columns,
                                          int64_t leading, const void* values, cudaDataType valueType,
                                          cusparseOrder_t order) {
  cusparseDnMatDescr_t made = nullptr;
  const cusparseStatus_t status =
      cusparseCreateDnMat(&made, rows, columns, leading, const_cast<void*>(values), valueType, order);
  *matrix = made;
  return status;
}

cusparseStatus_t cusparseDestroyDnMat(cusparseConstDnMatDescr_t matrix) {
  delete matrix;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSpMM_bufferSize(cusparseHandle_t, cusparseOperation_t transposeA,
                                         cusparseOperation_t transposeB, const void*,
                                         cusparseConstSpMatDescr_t a, cusparseConstDnMatDescr_t b,
                                         const void*, cusparseDnMatDescr_t c, cudaDataType computeType,
                                         cusparseSpMMAlg_t, size_t* bytes) {
  *bytes = bufferBytes(*a);
  return checkSpmm(transposeA, transposeB, *a, *b, *c, computeType);
}

cusparseStatus_t cusparseSpMM_preprocess(cusparseHandle_t handle, cusparseOperation_t transposeA,
                                         cusparseOperation_t transposeB, const void*,
                                         cusparseConstSpMatDescr_t a, cusparseConstDnMatDescr_t b,
                                         const void*, cusparseDnMatDescr_t c, cudaDataType computeType,
                                         cusparseSpMMAlg_t, void* buffer) {
  const cusparseStatus_t status = checkSpmm(transposeA, transposeB, *a, *b, *c, computeType);
  if (status != CUSPARSE_STATUS_SUCCESS) return status;
  return queue(handle, [a = *a, buffer] { note(a, buffer); });
}

cusparseStatus_t cusparseSpMM(cusparseHandle_t handle, cusparseOperation_t transposeA,
                              cusparseOperation_t transposeB, const void* alpha, cusparseConstSpMatDescr_t a,
                              cusparseConstDnMatDescr_t b, const void* beta, cusparseDnMatDescr_t c,
                              cudaDataType computeType, cusparseSpMMAlg_t, void* buffer) {
  const cusparseStatus_t status = checkSpmm(transposeA, transposeB, *a, *b, *c, computeType);
  if (status != CUSPARSE_STATUS_SUCCESS) return status;
  return queue(handle, [a = *a, b = *b, c = *c, alpha = number(alpha), beta = number(beta), buffer] {
    checkNote(a, buffer);
    multiply(a, b, c, alpha, beta);
  });
}

cusparseStatus_t cusparseSDDMM_bufferSize(cusparseHandle_t, cusparseOperation_t transposeA,
                                          cusparseOperation_t transposeB, const void*,
                                          cusparseConstDnMatDescr_t a, cusparseConstDnMatDescr_t b,
                                          const void*, cusparseSpMatDescr_t c, cudaDataType computeType,
                                          cusparseSDDMMAlg_t, size_t* bytes) {
  *bytes = bufferBytes(*c);
  return checkSddmm(transposeA, transposeB, *a, *b, *c, computeType);
}

cusparseStatus_t cusparseSDDMM_preprocess(cusparseHandle_t handle, cusparseOperation_t transposeA,
                                          cusparseOperation_t transposeB, const void*,
                                          cusparseConstDnMatDescr_t a, cusparseConstDnMatDescr_t b,
                                          const void*, cusparseSpMatDescr_t c, cudaDataType computeType,
                                          cusparseSDDMMAlg_t, void* buffer) {
  const cusparseStatus_t status = checkSddmm(transposeA, transposeB, *a, *b, *c, computeType);
  if (status != CUSPARSE_STATUS_SUCCESS) return status;
  return queue(handle, [c = *c, buffer] { note(c, buffer); });
}

cusparseStatus_t cusparseSDDMM(cusparseHandle_t handle, cusparseOperation_t transposeA,
                               cusparseOperation_t transposeB, const void* alpha, cusparseConstDnMatDescr_t a,
                               cusparseConstDnMatDescr_t b, const void* beta, cusparseSpMatDescr_t c,
                               cudaDataType computeType, cusparseSDDMMAlg_t, void* buffer) {
  const cusparseStatus_t status = checkSddmm(transposeA, transposeB, *a, *b, *c, computeType);
  if (status != CUSPARSE_STATUS_SUCCESS) return status;
  const bool transposed = transposeB == CUSPARSE_OPERATION_TRANSPOSE;
  return queue(handle, [=, a = *a, b = *b, c = *c, alpha = number(alpha), beta = number(beta)] {
    checkNote(c, buffer);
    sample(a, b, transposed, c, alpha, beta);
  });
}
