#pragma once

#include <cstdint>
#include <vector>

#include "device/device.h"
#include "libraries/library.h"
#include "sparse/pattern.h"

namespace espalier::bench {

enum class Product { Forward, InputGradient, WeightGradient };

struct LayerShape {
  int64_t outputs = 0;
  int64_t inputs = 0;
  int64_t batch = 0;
  int threads = 1;
};

/// One product of one layer.
struct ProductShape : LayerShape {
  Product product = Product::Forward;
};

/// A multi-layer perceptron.
struct NetworkShape {
  /// Inputs, hidden layers, outputs.
  std::vector<int64_t> sizes;
  int64_t batch = 0;
  int threads = 1;
};

/// What makes a layer or network sparse.
struct SparseShape {
  double sparsity = 0;
  BlockShape block;
};

/// Where dense products come from. `sliced`: the project's threads take a slice of each; else the library's
/// own.
struct DenseSource {
  DenseLibrary& blas;
  bool sliced = false;
};

}  // namespace espalier::bench
