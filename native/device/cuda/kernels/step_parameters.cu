#include "device/cuda/kernels/step_parameters.h"

#include "device/cuda/base/launch.h"
#include "model/optimizer.h"

namespace espalier::cuda {
namespace {

__global__ void setStepKernel(StepParameters value, StepParameters* parameters) {
  *parameters = value;
}

}  // namespace

void setStep(const Context& context, const StepParameters& value, StepParameters* parameters) {
  launch(context, setStepKernel, {dim3(1), dim3(1)}, value, parameters);
}

StepParameters trainingStep(const StepSettings& settings) {
  StepParameters parameters;
  parameters.learningRate = settings.learningRate;
  parameters.update = countedUpdate(settings.update);
  parameters.step = settings.step;
  parameters.moveWeights = settings.moveWeights;
  parameters.training = true;
  return parameters;
}

bool cardRunsKernels() {
  cudaFuncAttributes attributes{};
  const bool runs =
      cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(setStepKernel)) == cudaSuccess;
  (void)cudaGetLastError();
  return runs;
}

}  // namespace espalier::cuda
