#pragma once

#include <memory>

#include "device/cuda/layers/cuda_layer.h"
#include "sparse/pattern.h"

namespace espalier::cuda::bench {

/// A layer trained the way other libraries do: dense weights and a mask of the pattern's places, applied to
/// the gradient and to the weights. setting.state is dense; its blocks must divide its sizes.
std::unique_ptr<CudaLayer> makeMaskedLayer(const LayerSetting& setting, const Pattern& pattern);

}  // namespace espalier::cuda::bench
