/** From options of the command line to the library's own. */
import {
  adam,
  adamw,
  constant,
  cosine,
  type Dataset,
  dense,
  dropout,
  type FitOptions,
  type Layer,
  layerNorm,
  Network,
  type NetworkOptions,
  oneCycle,
  sgd,
  sparse,
  stepDecay,
} from '../index.js'
import { placementOf } from './device-options.js'
import { rewireRules } from './rewire-rules.js'
import { followsSparsity, layTopology } from './topology-options.js'
import { activations, type SettledOptions } from './train-options.js'

/** Builds the network that the options describe, for these training samples. */
export async function buildNetwork(options: SettledOptions, train: Dataset): Promise<Network> {
  const isDense = options.layers === 'dense'
  const outputs = train.classes > 0 ? train.classes : (train.outputs ?? 1)
  const network: NetworkOptions = {
    inputs: train.features,
    layers: [
      ...options.hidden.flatMap((width) => [
        hiddenLayer(width, options),
        ...(options.layerNorm ? [layerNorm()] : []),
        ...(options.dropout > 0 ? [dropout(options.dropout)] : []),
      ]),
      dense(outputs),
    ],
    ...(!isDense && followsSparsity(options) ? { sparsity: options.sparsity } : {}),
    loss: train.classes > 0 ? 'softmaxCrossEntropy' : 'squaredError',
    seed: options.seed,
    ...placementOf(options),
  }
  if (isDense) return new Network(network)
  const { epochs: _, rewire: __, ...fit } = fitSettings(options)
  return new Network({ ...network, topology: await layTopology(options, network, train, fit) })
}

function hiddenLayer(width: number, { activation: name, block, dropConnect, layers }: SettledOptions): Layer {
  const activation = activations[name]
  if (layers === 'dense') return dense(width, { activation, dropConnect })
  return sparse(width, { activation, block, dropConnect, masked: layers === 'masked' })
}

/** What `fit` needs of the options. */
export function fitSettings(options: SettledOptions) {
  return {
    epochs: options.epochs,
    batchSize: options.batch,
    optimizer: optimizer(options),
    learningRateSchedule: schedule(options),
    rewire: rewireRules[options.rewire].make(options),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  } satisfies Partial<FitOptions>
}

function optimizer({ optimizer, lr: learningRate, weightDecay, l1, momentum }: SettledOptions) {
  if (optimizer === 'sgd') return sgd({ learningRate, weightDecay, l1, momentum })
  return (optimizer === 'adam' ? adam : adamw)({ learningRate, weightDecay, l1 })
}

function schedule({ schedule, warmup, epochs }: SettledOptions) {
  if (schedule === 'constant') return constant({ warmup })
  if (schedule === 'cosine') return cosine({ warmup })
  if (schedule === 'one-cycle') return oneCycle({ warmup })
  return stepDecay({ every: Math.ceil(epochs / 3), factor: 0.1, warmup })
}
