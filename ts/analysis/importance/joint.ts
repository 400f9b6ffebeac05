import type { Dataset } from '../../data/dataset.js'
import { applyScaling, fitStandard } from '../../data/scale.js'
import { dense } from '../../model/layers.js'
import { Network } from '../../model/network.js'
import { adam } from '../../train/optimizer.js'

/** A linear model is trained for so many epochs at least, and so many steps. */
const EPOCHS = 10
const STEPS = 1000
const BATCH = 128

/**
 * What each feature adds beside all others: the sum over the outputs of |weight| x deviation of the feature in a
 * multinomial logistic regression (for targets, a linear regression). It is trained by this library: a network of one
 * dense layer from zero weights on standardised features, by Adam (0.003, weight decay 0.001), ten epochs and 1,000 steps
 * at least. Standardised features deviate by 1, and those that never change by 0.
 */
export async function jointImportance(dataset: Dataset): Promise<number[]> {
  const scaled = applyScaling(dataset, fitStandard(dataset))
  const classes = dataset.labels === undefined ? 0 : dataset.classes
  const outputs = classes > 0 ? classes : (dataset.outputs ?? 1)
  const { features } = dataset
  using network = new Network({
    inputs: features,
    layers: [dense(outputs, { initialization: 'zeros' })],
    loss: classes > 0 ? 'softmaxCrossEntropy' : 'squaredError',
    device: 'cpu',
  })
  await network.fit(scaled, {
    epochs: Math.max(EPOCHS, Math.ceil(STEPS / Math.ceil(dataset.samples / BATCH))),
    batchSize: BATCH,
    optimizer: adam({ learningRate: 0.003, weightDecay: 0.001 }),
  })
  const { tensors } = await network.snapshot()
  const weights = tensors.find(({ name }) => name === 'layers.0.weight')!.data as Float32Array
  const importance = new Array<number>(features).fill(0)
  // Weights of a feature that never changes stay at their zero.
  for (let k = 0; k < outputs; k++) {
    for (let j = 0; j < features; j++) importance[j]! += Math.abs(weights[k * features + j]!)
  }
  return importance
}
