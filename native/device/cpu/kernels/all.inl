// Every kernel for the Vec of the including file, and the table of them.

namespace {

// In this order: spmm and sddmm build on elements and fetch, gemm on both.
// clang-format off
#include "device/cpu/kernels/elements.inl"
#include "device/cpu/kernels/fetch.inl"
#include "device/cpu/kernels/spmm.inl"
#include "device/cpu/kernels/sddmm_tiles.inl"
#include "device/cpu/kernels/sddmm_quads.inl"
#include "device/cpu/kernels/sddmm.inl"
#include "device/cpu/kernels/spmm_sddmm.inl"
#include "device/cpu/kernels/gemm.inl"
#include "device/cpu/kernels/elementwise.inl"
#include "device/cpu/kernels/layer_norm.inl"
#include "device/cpu/kernels/spmv.inl"
#include "device/cpu/kernels/update.inl"
#include "device/cpu/kernels/panel.inl"
#include "device/cpu/kernels/dropout.inl"
// clang-format on

Kernels table(const char* name) {
  Kernels k{};
  k.name = name;
  k.full = {spmm<float>, sddmm<float>, spmmSddmm<float>};
  k.half = {spmm<Bfloat16Pair>, sddmm<Bfloat16Pair>, spmmSddmm<Bfloat16Pair>};
  k.narrow = narrow;
  k.spmmScatter = spmmScatter;
  k.spmv = spmv;
  k.slicedSpmv = slicedSpmvOf<Vec>();
  k.gemv = gemv;
  k.gemm = gemm;
  k.gemmTransposed = gemmTransposed;
  k.gemmGradient = gemmGradient;
  k.rowSums = rowSums;
  k.activate = activate;
  k.activateBackward = activateBackward;
  k.sreluGradient = sreluGradient;
  k.layerNorm = layerNorm;
  k.layerNormBackward = layerNormBackward;
  k.layerNormGradient = layerNormGradient;
  k.softmax = softmax;
  k.atLeast = atLeast;
  k.update = update;
  k.gatherPanel = gatherPanel;
  k.dropout = dropout;
  k.dropConnect = dropConnect;
  return k;
}

}  // namespace
