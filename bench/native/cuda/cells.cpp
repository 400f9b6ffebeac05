#include "cells.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

namespace espalier::cuda::bench {
namespace {

struct Axes {
  std::vector<int64_t> sizes;
  std::vector<int32_t> batches;
  std::vector<double> sparsities;
  std::vector<int32_t> blocks;
};

Axes axesOf(Scale scale) {
  switch (scale) {
    case Scale::Tiny:
      return {{32}, {8}, {0.5}, {4, 16}};
    case Scale::Quick:
      return {{4096, 1024}, {512, 128}, {0.9, 0.95, 0.99}, {16, 32}};
    default:
      return {{4096, 1024, 16384},
              {512, 128, 32, 2048},
              {0.9, 0.95, 0.99, 0.98, 0.999, 0.8, 0.5},
              {16, 32, 8, 4}};
  }
}

void addUnlessThere(std::vector<ProductCell>& cells, const ProductCell& cell) {
  const auto same = [&](const ProductCell& other) {
    return other.samePattern(cell) && other.batch == cell.batch;
  };
  if (std::none_of(cells.begin(), cells.end(), same)) cells.push_back(cell);
}

/// Cells of one pattern follow each other, so that it is made once; those of 4096 x 4096, batch 512, by which
/// the kernels are judged, come before everything else.
std::vector<ProductCell> ordered(const Axes& axes, const std::vector<int32_t>& blocks) {
  std::vector<ProductCell> cells;
  for (const int32_t block : blocks) {
    for (const double sparsity : axes.sparsities) {
      addUnlessThere(cells, {axes.sizes.front(), axes.batches.front(), sparsity, block});
    }
  }
  for (const int64_t size : axes.sizes) {
    for (const int32_t block : blocks) {
      for (const double sparsity : axes.sparsities) {
        for (const int32_t batch : axes.batches) addUnlessThere(cells, {size, batch, sparsity, block});
      }
    }
  }
  return cells;
}

}  // namespace

std::string ProductCell::name() const {
  char text[96];
  std::snprintf(text, sizeof text, "%lld x %lld, batch %d, sparsity %g, block %d",
                static_cast<long long>(size), static_cast<long long>(size), batch, sparsity, block);
  return text;
}

std::vector<ProductCell> denseCells(Scale scale) {
  Axes axes = axesOf(scale);
  axes.sparsities = {0};
  return ordered(axes, {1});
}

std::vector<ProductCell> sparseCells(Scale scale) {
  return ordered(axesOf(scale), {1});
}

std::vector<ProductCell> blockCells(Scale scale) {
  const Axes axes = axesOf(scale);
  return ordered(axes, axes.blocks);
}

Pattern drawPattern(const Grid& grid, double density, uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  const double scale = 1.0 / std::log1p(-density);
  const int64_t width = grid.blockColumns();
  Array<int64_t> rowOffsets(static_cast<size_t>(grid.blockRows()) + 1, 0);
  Array<int32_t> columns;
  const auto lay = [&](int64_t position) {
    ++rowOffsets[position / width + 1];
    columns.push_back(static_cast<int32_t>(position % width));
  };
  // Between two blocks that exist lies a geometric number of those that do not.
  const auto gap = [&] { return static_cast<int64_t>(std::log(1.0 - uniform(generator)) * scale); };
  for (int64_t position = gap(); position < grid.positions(); position += 1 + gap()) lay(position);
  if (columns.empty()) lay(0);
  for (size_t row = 1; row < rowOffsets.size(); ++row) rowOffsets[row] += rowOffsets[row - 1];
  return Pattern(grid, std::move(rowOffsets), std::move(columns));
}

}  // namespace espalier::cuda::bench
