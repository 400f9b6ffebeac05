#include "device/cuda/layers/cuda_layer.h"

namespace espalier::cuda {
namespace {

template <typename T>
DeviceBuffer<T> uploaded(Context& context, const AlignedBuffer<T>& from) {
  DeviceBuffer<T> buffer(context.memory, from.size());
  buffer.upload(from.span());
  return buffer;
}

template <typename T>
AlignedBuffer<T> downloaded(const DeviceBuffer<T>& from) {
  AlignedBuffer<T> buffer(from.size());
  from.download(buffer.span());
  return buffer;
}

}  // namespace

FeatureBuffer::FeatureBuffer(Context& context, int64_t features, int64_t stride, Precision precision)
    : values_(context.memory, checkedProduct(features, stride)),
      rounded_(context.memory, precision == Precision::Bfloat16 ? values_.size() : 0) {
  values_.clear();
  rounded_.clear();
}

CudaLayer::CudaLayer(const LayerSetting& setting)
    : setting_(setting),
      output_(setting.products.context, setting.paddedOutputs, setting.stride, setting.products.precision) {
  if (!setting.training) return;
  outputGradient_ = FeatureBuffer(setting.products.context, setting.paddedOutputs, setting.stride,
                                  setting.products.precision);
}

DeviceParameter CudaLayer::upload(Context& context, const Parameter& parameter) {
  return {uploaded(context, parameter.values), uploaded(context, parameter.first),
          uploaded(context, parameter.second), uploaded(context, parameter.births)};
}

Parameter CudaLayer::download(const DeviceParameter& parameter) {
  return {espalier::cuda::downloaded(parameter.values), espalier::cuda::downloaded(parameter.first),
          espalier::cuda::downloaded(parameter.second), espalier::cuda::downloaded(parameter.births)};
}

UpdateTarget CudaLayer::targetOf(DeviceParameter& parameter) {
  return {parameter.values.data(), parameter.first.data(), parameter.second.data(), parameter.births.data()};
}

}  // namespace espalier::cuda
