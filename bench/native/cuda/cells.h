#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "options.h"
#include "sparse/pattern.h"

namespace espalier::cuda::bench {

/// The products of one layer of size x size weights. Sparsity 0 stands for dense.
struct ProductCell {
  int64_t size = 0;
  int32_t batch = 0;
  double sparsity = 0;
  int32_t block = 1;

  bool samePattern(const ProductCell& other) const {
    return size == other.size && sparsity == other.sparsity && block == other.block;
  }
  std::string name() const;
};

// What is measured, the most important first: a run may end before the last.

std::vector<ProductCell> denseCells(Scale scale);
/// 1 x 1.
std::vector<ProductCell> sparseCells(Scale scale);
std::vector<ProductCell> blockCells(Scale scale);

/// Each block exists by a draw of its own, at least one of all. Made in one walk in order, which takes
/// seconds less than randomPattern() where there are a hundred million.
Pattern drawPattern(const Grid& grid, double density, uint64_t seed);

}  // namespace espalier::cuda::bench
