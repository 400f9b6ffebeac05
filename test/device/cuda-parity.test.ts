/** The same run on the processor and on the GPU: each epoch has the same mean loss, within what rounding makes. */
import t from 'tap'
import {
  type ActivationName,
  adam,
  adamw,
  type Dataset,
  dense,
  dropout,
  type FitOptions,
  layerNorm,
  type NetworkOptions,
  sgd,
  sparse,
} from '../../lib/index.js'
import { clouds, random } from '../model/support.js'
import { data, distance, noCuda, pair } from './support.js'

const draw = random(7)
const numbers: Dataset = {
  ...clouds(160, 20, 4),
  targets: Float32Array.from({ length: 160 * 3 }, () => draw()),
  outputs: 3,
}
const yesNo: Dataset = { ...data, labels: Int32Array.from(data.labels!, (label) => label % 2), classes: 2 }

interface Case {
  network?: Partial<NetworkOptions>
  fit?: Partial<FitOptions>
  data?: Dataset
}

const blocks = (block: `${number}x${number}`): Case => ({
  network: { layers: [sparse(33, { block }), sparse(48, { block }), dense(4)] },
})
const activations = (...names: ActivationName[]): Case => ({
  network: { layers: [...names.map((activation) => sparse(24, { activation })), dense(4)] },
})

const cases: Record<string, Case> = {
  'blocks of 1 x 1': blocks('1x1'),
  'blocks of 4 x 1': blocks('4x1'),
  'blocks of 8 x 8': blocks('8x8'),
  'blocks of 16 x 16': blocks('16x16'),
  'blocks of 32 x 32': blocks('32x32'),
  'blocks of 3 x 5': blocks('3x5'),
  'a sparse last layer': { network: { layers: [sparse(32), sparse(4, { activation: 'linear' })] } },
  'dense layers alone': {
    network: { layers: [dense(24, { activation: 'relu' }), dense(4)], sparsity: 0 },
  },
  'no bias': { network: { layers: [sparse(32, { bias: false }), dense(4, { bias: false })] } },
  dropout: {
    network: { layers: [sparse(32), dropout(0.3), sparse(32, { block: '4x4' }), dropout(0.1), dense(4)] },
  },
  'layer normalisation': {
    network: { layers: [sparse(33), layerNorm(), sparse(24), layerNorm(), dense(4)] },
  },
  'linear, relu, leakyRelu': activations('linear', 'relu', 'leakyRelu'),
  'allRelu, srelu, tanh': activations('allRelu', 'srelu', 'tanh'),
  'sigmoid, gelu, silu': activations('sigmoid', 'gelu', 'silu'),
  DropConnect: {
    network: {
      layers: [
        sparse(33, { dropConnect: 0.3 }),
        sparse(24, { block: '4x4', dropConnect: 0.2 }),
        dense(24, { activation: 'relu', dropConnect: 0.5 }),
        dense(4),
      ],
    },
  },
  'masked layers': {
    network: {
      layers: [
        sparse(33, { masked: true }),
        sparse(24, { block: '3x5', masked: true, dropConnect: 0.2 }),
        dense(4),
      ],
    },
  },
  'squared error': { network: { layers: [sparse(32), dense(3)], loss: 'squaredError' }, data: numbers },
  'binary cross-entropy of targets': {
    network: { layers: [sparse(32), dense(3)], loss: 'binaryCrossEntropy' },
    data: numbers,
  },
  'binary cross-entropy of labels': {
    network: { layers: [sparse(32), dense(1)], loss: 'binaryCrossEntropy' },
    data: yesNo,
  },
  'sgd without momentum': { fit: { optimizer: sgd({ learningRate: 0.1, momentum: 0, weightDecay: 1e-3 }) } },
  'L1, sgd': { fit: { optimizer: sgd({ learningRate: 0.05, l1: 0.01 }) } },
  'L1, adam': { fit: { optimizer: adam({ learningRate: 0.003, l1: 0.01 }) } },
  'L1, adamw': { fit: { optimizer: adamw({ learningRate: 0.003, l1: 0.01 }) } },
  nesterov: { fit: { optimizer: sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }) } },
  adam: { fit: { optimizer: adam({ learningRate: 0.003 }) } },
  adamw: { fit: { optimizer: adamw({ learningRate: 0.003, weightDecay: 0.1 }) } },
  'a ragged last batch': { fit: { batchSize: 18, epochs: 6 } },
  'batches of one': { fit: { batchSize: 1, epochs: 1 }, data: clouds(50, 20, 4) },
  'a batch beyond the data, in their order': { fit: { batchSize: 1000, epochs: 50, shuffle: false } },
}

for (const [name, { network, fit, data: samples = data }] of Object.entries(cases)) {
  t.test(name, { skip: noCuda }, async (t) => {
    const { cpu, cuda } = pair(network)
    const options = {
      epochs: 5,
      batchSize: 16,
      optimizer: sgd({ learningRate: 0.05 }),
      validation: samples,
      threads: 1,
      ...fit,
    }
    const expected = await cpu.fit(samples, options)
    const result = await cuda.fit(samples, options)
    t.equal(result.steps, expected.steps)
    t.ok(result.steps >= 50, `${result.steps} steps`)
    const losses = (of: typeof result) =>
      of.history.flatMap(({ train, validation }) => [train.loss, validation!.loss])
    const apart = distance(losses(result), losses(expected))
    t.ok(apart < 1e-3, `losses are ${apart} apart: ${losses(result)} instead of ${losses(expected)}`)
    const { device, products } = cuda.plan()
    t.equal(device, 'cuda')
    for (const { layer, product, chosen, candidates } of products) {
      t.ok(['forward', 'inputGradient', 'weightGradient'].includes(product) && layer >= 0)
      t.ok(
        candidates.length === 0 || candidates.some(({ name }) => name === chosen),
        `${product} of layer ${layer}: ${chosen}`,
      )
    }
    cpu.dispose()
    cuda.dispose()
  })
}

t.test('a lower precision rounds, and still learns', { skip: noCuda }, async (t) => {
  for (const precision of ['tf32', 'bfloat16'] as const) {
    const { cpu, cuda } = pair({
      layers: [sparse(32, { block: '16x16' }), sparse(32, { block: '8x8' }), dense(4)],
      precision,
      denseFallback: true,
    })
    const options = { epochs: 5, batchSize: 16, optimizer: sgd({ learningRate: 0.05 }), threads: 1 }
    const expected = await cpu.fit(data, options)
    const result = await cuda.fit(data, options)
    const apart = distance(
      result.history.map(({ train }) => train.loss),
      expected.history.map(({ train }) => train.loss),
    )
    t.ok(apart < (precision === 'tf32' ? 0.01 : 0.05), `${precision}: losses are ${apart} apart`)
  }
})

t.test('evaluate and predict agree with the processor', { skip: noCuda }, async (t) => {
  for (const [network, samples] of [
    [{}, data],
    [
      { layers: [sparse(33, { block: '8x8', activation: 'gelu' }), layerNorm(), dropout(0.5), dense(4)] },
      data,
    ],
    [{ layers: [sparse(32), dense(3)], loss: 'binaryCrossEntropy' }, numbers],
    [{ layers: [sparse(32), dense(3)], loss: 'squaredError' }, numbers],
  ] satisfies [Partial<NetworkOptions>, Dataset][]) {
    const { cpu, cuda } = pair(network)
    const [expected, metrics] = [await cpu.evaluate(samples), await cuda.evaluate(samples)]
    t.ok(Math.abs(metrics.loss - expected.loss) < 1e-4, `loss ${metrics.loss} instead of ${expected.loss}`)
    t.equal(metrics.accuracy, expected.accuracy)
    for (const rows of [samples.values, samples.values.slice(0, 20)]) {
      const apart = distance(await cuda.predict(rows), await cpu.predict(rows))
      t.ok(apart < 1e-4, `predictions of ${rows.length / 20} samples are ${apart} apart`)
    }
  }
})

t.test('gradients agree with the processor', { skip: noCuda }, async (t) => {
  for (const layers of [
    [sparse(33, { activation: 'tanh' }), dropout(0.5), dense(4)],
    [sparse(32, { block: '4x4', activation: 'silu' }), layerNorm(), sparse(4, { activation: 'linear' })],
  ]) {
    const { cpu, cuda } = pair({ layers })
    const options = { batchSize: 48 }
    const [expected, gradients] = [await cpu.gradients(data, options), await cuda.gradients(data, options)]
    gradients.forEach(({ weights, bias, pattern }, i) => {
      const own = expected[i]!
      t.strictSame(pattern, own.pattern)
      for (const part of ['mean', 'magnitude'] as const) {
        const apart = Math.max(
          distance(weights[part], own.weights[part]),
          distance(bias![part], own.bias![part]),
        )
        t.ok(apart < 1e-5, `${part} of layer ${i} is ${apart} apart`)
      }
    })
    t.equal(cuda.plan().device, 'cuda')
  }
})
