import t, { type Test } from 'tap'
import {
  type ActivationOption,
  type Dataset,
  dense,
  dropout,
  type Layer,
  layerNorm,
  Network,
  type NetworkOptions,
  sgd,
  sparse,
} from '../../lib/index.js'
import { noAddon, random } from '../model/support.js'
import { dropConnectFactor, dropoutFactor, philox } from '../support/philox.js'
import {
  type Keep,
  type Reference,
  referenceLoss,
  referenceOf,
  referenceOutputs,
  referenceSlope,
} from '../support/reference-network.js'

const features = 11

function problem(samples: number, outputs: number, withTargets = false): Dataset {
  const draw = random(5)
  const values = Float32Array.from({ length: samples * features }, () => draw() * 2 - 1)
  if (withTargets) {
    const targets = Float32Array.from({ length: samples * outputs }, () => draw())
    return { name: 'gradients', samples, features, values, targets, outputs, classes: 0 }
  }
  const classes = Math.max(outputs, 2)
  return {
    name: 'gradients',
    samples,
    features,
    values,
    labels: Int32Array.from({ length: samples }, (_, i) => i % classes),
    classes,
  }
}

/** Trains a little, so that biases and the like are not at their first values. */
async function somewhere(options: Partial<NetworkOptions> & { layers: readonly Layer[] }, data: Dataset) {
  const network = new Network({ inputs: features, sparsity: 0.5, seed: 3, device: 'cpu', ...options })
  await network.fit(data, {
    epochs: 3,
    batchSize: data.samples,
    optimizer: sgd({ learningRate: 0.3, momentum: 0 }),
    threads: 1,
  })
  return network
}

/** Weights before minus weights after one step of SGD at rate 1: the gradient that was used. */
async function checkGradients(
  test: Test,
  options: Partial<NetworkOptions> & { layers: readonly Layer[] },
  data: Dataset,
  {
    threads = 1,
    keepOf,
    weightFactor,
  }: {
    threads?: number
    keepOf?: (sample: number) => Keep
    /** What DropConnect multiplies a stored weight by. */
    weightFactor?: (layer: number, weight: number) => number
  } = {},
) {
  using network = await somewhere(options, data)
  const before = referenceOf(await network.snapshot())
  if (weightFactor !== undefined) before.factors = factorsOf(before, weightFactor)
  const run = await network.fit(data, {
    epochs: 1,
    batchSize: data.samples,
    optimizer: sgd({ learningRate: 1, momentum: 0 }),
    shuffle: false,
    threads,
  })
  const after = referenceOf(await network.snapshot())
  const loss = run.trainLoss ?? Number.NaN
  const expectedLoss = referenceLoss(before, data, keepOf)
  test.ok(Math.abs(loss - expectedLoss) < 1e-4 * (1 + expectedLoss), `loss ${loss} is ${expectedLoss}`)
  let checked = 0
  let worst = 0
  for (const [name, values] of before.parameters) {
    const stride = Math.max(1, Math.floor(values.length / 20))
    for (let i = 0; i < values.length; i += stride) {
      const used = values[i]! - after.parameters.get(name)![i]!
      const expected = referenceSlope(before, data, name, i, keepOf)
      const error = Math.abs(used - expected) / (1e-2 + Math.abs(expected))
      if (error > 2e-3) test.fail(`${name}[${i}]: gradient ${used}, finite differences ${expected}`)
      worst = Math.max(worst, error)
      checked++
    }
  }
  test.ok(checked > 20 && worst < 2e-3, `${checked} gradients agree, worst ${worst.toExponential(1)}`)
}

t.test('philox gives its published numbers', async (t) => {
  // Random123's known answers for philox4x32-10.
  t.same(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
  const ones = 0xffffffff
  t.same(philox([ones, ones, ones, ones], [ones, ones]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd])
})

t.test('gradients of every activation equal finite differences', { skip: noAddon }, async (t) => {
  const activations: ActivationOption[] = [
    'linear',
    'relu',
    { type: 'leakyRelu', alpha: 0.1 },
    { type: 'allRelu', alpha: 0.6 },
    'srelu',
    'tanh',
    'sigmoid',
    'gelu',
    'silu',
  ]
  for (const activation of activations) {
    await t.test(typeof activation === 'string' ? activation : activation.type, async (t) => {
      const layers = [
        sparse(13, { activation }),
        dense(9, { activation }),
        sparse(7, { activation }),
        dense(4),
      ]
      await checkGradients(t, { layers }, problem(21, 4))
    })
  }
})

t.test('gradients of every loss equal finite differences', { skip: noAddon }, async (t) => {
  const layers = (outputs: number) => [sparse(12, { activation: 'tanh' }), dense(outputs)]
  await checkGradients(t, { layers: layers(5), loss: 'softmaxCrossEntropy' }, problem(17, 5))
  await checkGradients(t, { layers: layers(3), loss: 'binaryCrossEntropy' }, problem(17, 3, true))
  await checkGradients(t, { layers: layers(1), loss: 'binaryCrossEntropy' }, problem(17, 1))
  await checkGradients(t, { layers: layers(3), loss: 'squaredError' }, problem(17, 3, true))
  await checkGradients(t, { layers: layers(4), loss: 'squaredError' }, problem(17, 4))
  const squashed = [sparse(12, { activation: 'relu' }), dense(4, { activation: 'sigmoid' })]
  await checkGradients(t, { layers: squashed, loss: 'squaredError' }, problem(17, 4))
})

t.test('gradients of every block shape equal finite differences', { skip: noAddon }, async (t) => {
  // Smooth functions: a neuron without inputs sits on the kink of ReLU, where differences have no meaning.
  for (const block of [
    [1, 1],
    [4, 1],
    [4, 4],
    [8, 8],
    [3, 2],
    [1, 4],
    [16, 16],
  ] as [number, number][]) {
    for (const threads of [1, 2, 3]) {
      const layers = [
        sparse(19, { block, activation: 'silu' }),
        sparse(17, { block, activation: 'tanh' }),
        dense(4),
      ]
      await checkGradients(t, { layers }, problem(37, 4), { threads })
    }
  }
})

t.test('gradients add up over the panels of a large batch', { skip: noAddon }, async (t) => {
  for (const activation of ['relu', 'srelu'] as const) {
    const layers = [
      sparse(15, { activation }),
      layerNorm(),
      sparse(9, { activation, block: '4x1' }),
      dense(3),
    ]
    await checkGradients(t, { layers }, problem(270, 3), { threads: 2 })
  }
})

t.test('gradients pass through layer normalisation', { skip: noAddon }, async (t) => {
  const layers = [
    layerNorm(),
    sparse(13, { activation: 'silu' }),
    layerNorm(),
    dense(6, { activation: 'srelu' }),
    layerNorm(),
    dense(3),
  ]
  await checkGradients(t, { layers }, problem(23, 3), { threads: 2 })
})

t.test(
  'gradients pass through dropout, whose mask follows from seed, layer, step, feature and sample',
  { skip: noAddon },
  async (t) => {
    const rate = 0.4
    const seed = 3
    const layers = [dropout(0.2), sparse(14, { activation: 'tanh' }), dropout(rate), dense(3)]
    const rates: Record<number, number> = { 0: 0.2, 2: rate }
    const keepOf = (sample: number) => (layer: number, feature: number) =>
      dropoutFactor(rates[layer]!, seed, layer, 1, feature, sample)
    await checkGradients(t, { layers, seed }, problem(150, 3), { threads: 2, keepOf })
  },
)

function factorsOf(
  { parameters, description }: Reference,
  factor: (layer: number, weight: number) => number,
) {
  return new Map(
    description.layers.map((_, layer) => {
      const weights =
        parameters.get(`layers.${layer}.values`) ?? parameters.get(`layers.${layer}.weight`) ?? []
      return [layer, Array.from(weights, (_, weight) => factor(layer, weight))] as const
    }),
  )
}

t.test(
  'gradients pass through DropConnect, whose mask follows from seed, layer, step and weight',
  { skip: noAddon },
  async (t) => {
    const seed = 3
    const rates = [0.4, 0, 0.25, 0.6]
    const weightFactor = (layer: number, weight: number) =>
      rates[layer] === 0 ? 1 : dropConnectFactor(rates[layer]!, seed, layer, 1, weight)
    for (const masked of [false, true]) {
      const layers = [
        sparse(13, { activation: 'tanh', dropConnect: 0.4, masked }),
        dense(9, { activation: 'silu' }),
        sparse(17, { activation: 'tanh', block: '3x2', dropConnect: 0.25, masked }),
        dense(3, { dropConnect: 0.6 }),
      ]
      // One panel; panels one after the other, for one thread and for three; panels side by side.
      for (const [samples, threads] of [
        [21, 1],
        [300, 1],
        [300, 3],
        [300, 4],
      ] as const) {
        await checkGradients(t, { layers, seed }, problem(samples, 3), { threads, weightFactor })
      }
    }
  },
)

t.test('gradients of masked layers equal finite differences', { skip: noAddon }, async (t) => {
  for (const block of [
    [1, 1],
    [4, 1],
    [8, 8],
    [3, 2],
  ] as [number, number][]) {
    for (const [samples, threads] of [
      [37, 1],
      [37, 3],
      [300, 2],
    ] as const) {
      const layers = [
        sparse(19, { block, activation: 'silu', masked: true }),
        sparse(17, { block, activation: 'tanh', masked: true }),
        sparse(4, { block, activation: 'linear', masked: true }),
      ]
      await checkGradients(t, { layers }, problem(samples, 4), { threads })
    }
  }
})

t.test('predictions equal the float64 reference, for odd sizes of batch', { skip: noAddon }, async (t) => {
  const layers = [sparse(13, { block: '4x4', activation: 'gelu' }), layerNorm(), sparse(10), dense(3)]
  for (const samples of [1, 16, 17, 128, 129, 300]) {
    const data = problem(samples, 3)
    using network = await somewhere({ layers }, problem(30, 3))
    const outputs = referenceOutputs(referenceOf(await network.snapshot()), data)
    const predicted = await network.predict(data, { threads: 2 })
    let worst = 0
    outputs.forEach((row, i) => {
      const top = Math.max(...row)
      const total = row.reduce((sum, y) => sum + Math.exp(y - top), 0)
      row.forEach((y, k) => {
        worst = Math.max(worst, Math.abs(predicted[i * 3 + k]! - Math.exp(y - top) / total))
      })
    })
    t.ok(worst < 1e-5, `${samples} samples: ${worst}`)
  }
})
