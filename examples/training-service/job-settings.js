/** What a job may ask for, and the network and run that it gets. */
import { adam, dense, Network, rigl, set, sgd, sparse, staticTopology } from 'espalier'
import { nameSchema } from './data.js'

/** As JSON schema. Everything is bounded. @param {number} maxSeconds that any job may take */
export function settingsSchema(maxSeconds) {
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      dataset: nameSchema,
      label: {
        type: 'string',
        minLength: 1,
        maxLength: 200,
        description: 'label column of a table, by name or index; default: target, label, class or the last',
      },
      task: { enum: ['classification', 'regression'], default: 'classification' },
      hidden: {
        type: 'array',
        minItems: 1,
        maxItems: 8,
        items: { type: 'integer', minimum: 1, maximum: 16_384 },
        default: [256, 256],
        description: 'neurons of each hidden layer',
      },
      sparsity: { type: 'number', minimum: 0, maximum: 0.999, default: 0.9 },
      rewire: { enum: ['static', 'set', 'rigl'], default: 'rigl' },
      epochs: { type: 'integer', minimum: 1, maximum: 1000, default: 10 },
      batchSize: { type: 'integer', minimum: 8, maximum: 8192, default: 128 },
      optimizer: { enum: ['sgd', 'adam'], default: 'sgd' },
      learningRate: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 10,
        description: 'default: 0.1 with sgd, 0.001 with adam',
      },
      seed: { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1, default: 1 },
      maxSeconds: {
        type: 'number',
        minimum: 0.1,
        maximum: maxSeconds,
        default: maxSeconds,
        description: 'of training; a job that takes longer ends with what it has learnt',
      },
    },
  }
}

const rules = { static: staticTopology, set, rigl }

/** The network that a job begins with. */
export function makeNetwork({ hidden, sparsity, seed }, train) {
  return new Network({
    inputs: train.features,
    layers: [...hidden.map((width) => sparse(width)), dense(outputsOf(train))],
    sparsity,
    loss: train.classes > 0 ? 'softmaxCrossEntropy' : 'squaredError',
    seed,
  })
}

/** What decides the result of its run; a checkpoint holds them too. */
export function fitSettings({ epochs, batchSize, optimizer, learningRate, rewire }) {
  const rate = learningRate === undefined ? {} : { learningRate }
  return {
    epochs,
    batchSize,
    optimizer: optimizer === 'adam' ? adam(rate) : sgd(rate),
    rewire: rules[rewire](),
  }
}

/** Bytes of one connection with its place in both views, optimizer and gradient, and a copy for a checkpoint. */
const connectionBytes = 48
/** Bytes of a value between two layers, with its gradient and what the kernels keep beside it. */
const activationBytes = 16
/** Bytes of every network, however small. */
const leastBytes = 4 * 2 ** 20

/** Bytes outside the JavaScript heap that a job needs, roughly and rather too many. */
export function estimateBytes({ hidden, sparsity, batchSize }, train) {
  const widths = [train.features, ...hidden]
  const last = widths.at(-1) * outputsOf(train)
  const connections = hidden.reduce((sum, width, i) => sum + width * widths[i] * (1 - sparsity), last)
  const values = batchSize * widths.reduce((sum, width) => sum + width, outputsOf(train))
  return Math.round(leastBytes + connectionBytes * connections + activationBytes * values)
}

function outputsOf(train) {
  return train.classes > 0 ? train.classes : 1
}
