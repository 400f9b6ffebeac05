#pragma once

#include <cstdint>
#include <type_traits>

#include "model/activation.h"
#include "sparse/pattern.h"

namespace espalier::cpu {

// The loops that are written once and compiled for every instruction set. All matrices of activations are
// feature-major panels: row = feature, `stride` samples to a row, 64-byte aligned, stride a multiple of
// kPanelUnit and at most kLargestPanel. Each (row, sample) sums its products one after the other in the order
// of the pattern, so that results do not depend on how rows and samples are divided over threads.

inline constexpr int kPanelUnit = 16;
inline constexpr int kLargestPanel = 256;

/// A half-open range.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

/// One of the two views of a block CSR matrix, as a product walks it. The weight of output i and input k of
/// an entry is values[valueIndex(entry) x block.size() + i x outputStride + k x inputStride].
struct MatrixView {
  const int64_t* begins;      ///< first entry of each block row
  const int64_t* ends;        ///< and the one after its last
  const int32_t* indices;     ///< block column of each entry
  const int32_t* valueIndex;  ///< where the entry's weights are, or null for entry itself
  const float* values;
  int32_t blockOutputs;
  int32_t blockInputs;
  int32_t outputStride;
  int32_t inputStride;
  /// Whether to ask for the rows to come: where they lie apart, in an array beyond the second cache.
  bool fetchAhead = false;
  /// Whether to ask for inputs ahead, where rows are long enough for that to pay.
  bool fetchInputs = false;
  /// Whether rows have so many inputs that gradients of blocks repay bringing output gradients into another
  /// order. It decides how sums run, so it goes by the matrix, never by a part of it.
  bool hasLongRows = false;

  /// The block rows from this one on.
  MatrixView from(int64_t blockRow) const {
    MatrixView rest = *this;
    rest.begins += blockRow;
    rest.ends += blockRow;
    return rest;
  }
};

/// The two views of a pattern with these values.
inline MatrixView forwardView(const Pattern& p, const float* values) {
  constexpr int64_t kLongRow = 20;
  MatrixView view{p.rowOffsets().data(), p.rowOffsets().data() + 1, p.columns().data(), nullptr, values,
                  p.block().rows,        p.block().columns,         p.block().columns,  1};
  view.hasLongRows = p.entries() * p.block().columns >= p.grid().blockRows() * kLongRow;
  return view;
}
inline MatrixView transposeView(const Pattern& p, const float* values) {
  return {p.columnOffsets().data(),
          p.columnOffsets().data() + 1,
          p.rows().data(),
          p.valueIndex().data(),
          values,
          p.block().columns,
          p.block().rows,
          1,
          p.block().columns};
}

/// Rows of a slice and inputs of a tile of it.
inline constexpr int kSliceRows = 32;
inline constexpr int kSliceInputs = 32;

/// A matrix of single weights as sliced ELLPACK (Monakov et al., 2010), each slice cut once more into tiles
/// of inputs: a tile holds `depth` weights of each of its rows, zeros after the last, and the place of each
/// weight's input within the tile.
struct SlicedView {
  int64_t slices;
  int64_t tiles;          ///< of a slice
  const uint8_t* depths;  ///< slices x tiles
  const float* values;    ///< sum of depths x kSliceRows
  const uint8_t* places;
};

/// An activation as the kernels see it.
struct ActivationArguments {
  Activation kind = Activation::Linear;
  /// Slope of leaky ReLU below zero; for All-ReLU the sign already follows the layer's place.
  float alpha = 0;
  /// SReLU: four rows of `units` numbers: left threshold, left slope, right threshold, right slope.
  const float* srelu = nullptr;
  int64_t units = 0;
};

/// How an optimizer moves weights from their gradients. Formulas: SGD as in PyTorch (velocity = momentum x
/// velocity + gradient; Nesterov looks one step ahead), Adam by Kingma and Ba (2015), AdamW by Loshchilov and
/// Hutter (2019); see model/optimizer.h.
struct UpdateArguments {
  enum class Kind : int32_t { Sgd, Adam, AdamW } kind = Kind::Sgd;
  float learningRate = 0;
  float weightDecay = 0;
  float l1 = 0;
  float momentum = 0;
  bool nesterov = false;
  float beta1 = 0;
  float beta2 = 0;
  float epsilon = 0;
  /// Adam's corrections 1 / (1 - beta^t) for t = 1 .. corrections, by age of the weight; the last one holds
  /// beyond.
  const float* firstCorrection = nullptr;
  const float* secondCorrection = nullptr;
  int32_t corrections = 0;
  /// Number of this optimizer step, from 1.
  int32_t step = 0;
};

/// Arrays that an update walks side by side. `births` is the step after which each weight began, or null for
/// 0.
struct UpdateState {
  float* weights;
  float* first;
  float* second;
  const int32_t* births;
};

/// Two samples of a panel of bfloat16, the upper halves of floats. Which two share a word is the affair of
/// the kernels that write and read it.
struct Bfloat16Pair {
  uint32_t bits;
};
/// A panel of them has strides that are a multiple of this.
inline constexpr int kPairedPanelUnit = 2 * kPanelUnit;

/// Samples of an element of a panel's row.
template <typename Element>
constexpr int64_t samplesOf() {
  return std::is_same_v<Element, float> ? 1 : 2;
}

/// A panel in bfloat16 as matrix units take it: words of two numbers, the first in the lower half. The
/// features lie in groups of kTileFeatures, each in two forms, of 8 x stride words:
/// - pairs of features, for products with weights: for every 16 samples, 8 pairs of features x 16 samples;
/// - pairs of samples, for gradients of weights: for every 32 samples, 16 features x 16 pairs, or, as the
/// right
///   factor, 16 pairs x 16 features. A pair are two samples 16 apart.
struct Bfloat16Tile {
  uint32_t bits;
};
inline constexpr int kTileFeatures = 16;

/// Which forms of a panel are needed.
struct TileForms {
  bool ofFeatures;
  enum class OfSamples { None, LeftFactor, RightFactor } ofSamples;
};

/// The products that fetch rows of panels at random, which is what bounds them: with Element float, or with
/// Bfloat16Pair or Bfloat16Tile, of which there are half as many. Sums are float32 always.
template <typename Element>
struct GatheringProducts {
  /// output[block rows] (+)= matrix x input, by gathering input rows.
  void (*spmm)(const MatrixView& matrix, const Element* input, float* output, int64_t stride, Range blockRows,
               bool accumulate);
  /// gradient[entry - firstEntry] (+)= sum over samples of outputGradient[row] x input[column], for the
  /// entries of blockRows.
  void (*sddmm)(const MatrixView& forward, const Element* outputGradient, const Element* input,
                int64_t stride, Range blockRows, int64_t firstEntry, bool accumulate, float* gradient);
  /// Both products of the backward pass, of single weights, in the bits that spmm and sddmm give:
  /// output[rows] (+)= transpose x outputGradient, and gradient[valueIndex[entry] - firstEntry] (+)= sum over
  /// samples of outputGradient[column] x input[row], for the entries of `rows` of the transpose view.
  void (*spmmSddmm)(const MatrixView& transpose, const Element* outputGradient, const Element* input,
                    float* output, int64_t stride, Range rows, bool accumulateOutput, bool accumulateGradient,
                    int64_t firstEntry, float* gradient);
};

/// The functions of one instruction set.
struct Kernels {
  const char* name;

  GatheringProducts<float> full;
  GatheringProducts<Bfloat16Pair> half;
  /// Of blocks that fitsTiles(), by matrix units; null where there are none.
  GatheringProducts<Bfloat16Tile> tiled;
  template <typename Element>
  const GatheringProducts<Element>& products() const {
    if constexpr (std::is_same_v<Element, float>) {
      return full;
    } else if constexpr (std::is_same_v<Element, Bfloat16Pair>) {
      return half;
    } else {
      return tiled;
    }
  }
  /// Rows of a panel, which lie at `from` one after the other, rounded to the nearest bfloat16.
  void (*narrow)(const float* from, int64_t stride, Range rows, Bfloat16Pair* narrowed);
  /// The same for matrix units, of rows that begin with a group; those beyond the last of a group are 0.
  void (*narrowToTiles)(const float* from, int64_t stride, Range rows, const TileForms& forms,
                        Bfloat16Tile* tiles);

  /// output[columns - columns.begin] += transpose(matrix) x input for blocks of 4 x 1, scattering one column
  /// at a time. The same bits as spmm of the transpose view gives, when output is 0 before.
  void (*spmmScatter)(const MatrixView& forward, const float* input, float* output, int64_t stride,
                      int64_t blockRows, Range columns);
  /// output[block rows] = matrix x input, of one sample.
  void (*spmv)(const MatrixView& matrix, const float* input, float* output, Range blockRows);
  /// The same, in the same bits, of a sliced matrix; input and output have room for whole tiles and slices.
  /// Null where the instruction set cannot look numbers up in registers.
  void (*slicedSpmv)(const SlicedView& matrix, const float* input, float* output);
  /// output[rows] = weight[rows x inputs] x input, of one sample.
  void (*gemv)(const float* weight, int64_t inputs, const float* input, float* output, Range rows);

  /// output[rows] = weight[rows x inputs] x input; pitch: from one row of weights to the next.
  void (*gemm)(const float* weight, int64_t pitch, int64_t inputs, const float* input, float* output,
               int64_t stride, Range rows);
  /// output[columns] = transpose(weight[outputs x inputs]) x input, for a range of columns.
  void (*gemmTransposed)(const float* weight, int64_t outputs, int64_t inputs, const float* input,
                         float* output, int64_t stride, Range columns);
  /// gradient[row - rows.begin][inputs] (+)= outputGradient x transpose(input) for whole rows of a dense
  /// matrix.
  void (*gemmGradient)(const float* outputGradient, const float* input, int64_t inputs, int64_t stride,
                       Range rows, bool accumulate, float* gradient);

  /// gradient[row] = sum of the row's samples.
  void (*rowSums)(const float* outputGradient, int64_t stride, Range rows, float* gradient);

  /// z += bias (null for none), then output = activation(z); z and output may be the same.
  void (*activate)(const ActivationArguments& activation, const float* bias, float* z, float* output,
                   int64_t stride, Range rows, Range samples);
  /// gradient *= activation'(z). Where the activation allows it, `z` is its output instead (see
  /// derivativeFromOutput).
  void (*activateBackward)(const ActivationArguments& activation, const float* z, float* gradient,
                           int64_t stride, Range rows, Range samples);

  /// gradient[4][rows of `rows`] of SReLU's parameters, from its input z and the gradient of its output.
  void (*sreluGradient)(const ActivationArguments& activation, const float* z, const float* outputGradient,
                        int64_t stride, Range rows, float* gradient);

  /// output = gain x (x - mean) / sqrt(variance + epsilon) + shift, over the features of each sample (Ba et
  /// al., 2016). Keeps mean and 1 / deviation of each sample.
  void (*layerNorm)(const float* input, float* output, int64_t stride, int64_t features, Range samples,
                    const float* gain, const float* shift, float epsilon, float* mean,
                    float* inverseDeviation);
  /// Turns the gradient of the output into the gradient of the input, in place.
  void (*layerNormBackward)(const float* input, float* gradient, int64_t stride, int64_t features,
                            Range samples, const float* gain, const float* mean,
                            const float* inverseDeviation);
  /// Gradients of gain and shift for a range of features.
  void (*layerNormGradient)(const float* input, const float* outputGradient, int64_t stride, Range features,
                            const float* mean, const float* inverseDeviation, float* gain, float* shift);

  /// probabilities = softmax over the rows for each sample, logarithm[sample] = log(sum of exp) of the
  /// logits. May be in place.
  void (*softmax)(const float* logits, float* probabilities, int64_t stride, int64_t classes, Range samples,
                  float* logarithm);

  /// Writes the indices, ascending, of the values whose magnitude is at least the threshold, and returns how
  /// many. NaN never is.
  int64_t (*atLeast)(const float* values, int64_t count, float threshold, int32_t* indices);

  /// Moves size weights by their gradients.
  void (*update)(const UpdateArguments& arguments, const UpdateState& state, const float* gradient,
                 int64_t size);

  /// to[feature - features.begin][sample] = rows[sample][feature] for some features of `count` samples; the
  /// rest of the `stride` samples become 0.
  void (*gatherPanel)(const float* const* rows, int64_t count, float* to, int64_t stride, Range features);

  /// panel *= keep mask / (1 - rate): dropout by Philox numbers of (seed, feature, sample). The same call is
  /// its own gradient.
  void (*dropout)(float rate, uint64_t seed, int64_t firstSample, float* panel, int64_t stride, Range rows);
  /// to = from x keep mask / (1 - rate): DropConnect by Philox numbers of (seed, index), for the weights from
  /// number `first` on. from and to may be the same; the gradient of what is left becomes that of the weights
  /// by the same call.
  void (*dropConnect)(float rate, uint64_t seed, int64_t first, const float* from, float* to, int64_t count);
};

/// Whether matrix units can multiply such blocks.
inline bool fitsTiles(const BlockShape& block) {
  return block.rows % 8 == 0 && block.columns % 8 == 0;
}

/// True where activateBackward takes the activation's output instead of its input.
inline bool derivativeFromOutput(Activation kind) {
  switch (kind) {
    case Activation::Linear:
    case Activation::Relu:
    case Activation::LeakyRelu:
    case Activation::Tanh:
    case Activation::Sigmoid:
      return true;
    default:
      return false;
  }
}

}  // namespace espalier::cpu
