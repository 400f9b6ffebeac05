import t, { type Test } from 'tap'
import {
  type Dataset,
  dense,
  dropout,
  gradientConcentration,
  type LayerGradients,
  layerNorm,
  Network,
  type NetworkOptions,
  rigl,
  sgd,
  sparse,
} from '../../lib/index.js'
import { referenceOf, referenceSlope } from '../support/reference-network.js'
import { bits, clouds, noAddon } from './support.js'

const features = 9
const data = clouds(21, features, 3)

const made = (options: Partial<NetworkOptions> & Pick<NetworkOptions, 'layers'>) =>
  new Network({ inputs: features, sparsity: 0.5, seed: 3, device: 'cpu', ...options })

/** Samples [from, to) of a data set. */
const part = (from: number, to: number): Dataset => ({
  ...data,
  samples: to - from,
  values: data.values.slice(from * features, to * features),
  labels: data.labels!.slice(from, to),
})

/** Each gradient against the slope of the float64 loss. */
async function checkSlopes(
  t: Test,
  network: Network,
  samples: Dataset,
  gradients: readonly LayerGradients[],
): Promise<void> {
  const reference = referenceOf(await network.snapshot())
  let checked = 0
  let worst = 0
  for (const { layer, pattern, weights, bias } of gradients) {
    const named = [
      [`layers.${layer}.${pattern === null ? 'weight' : 'values'}`, weights] as const,
      ...(bias === null ? [] : [[`layers.${layer}.bias`, bias] as const]),
    ]
    for (const [name, { mean }] of named) {
      t.equal(mean.length, reference.parameters.get(name)!.length, name)
      mean.forEach((gradient, i) => {
        const error = Math.abs(gradient - referenceSlope(reference, samples, name, i))
        if (error > 1e-5) t.fail(`${name}[${i}]: gradient ${gradient} is ${error} off`)
        worst = Math.max(worst, error)
        checked++
      })
    }
  }
  t.ok(checked > 0, `${checked} gradients agree to ${worst.toExponential(1)}`)
}

t.test('a gradient by hand', { skip: noAddon }, async (t) => {
  const two: Dataset = {
    name: 'two',
    samples: 2,
    features: 2,
    values: Float32Array.of(1, 2, 3, -1),
    targets: Float32Array.of(1, 0),
    outputs: 1,
    classes: 0,
  }
  using network = new Network({ inputs: 2, layers: [dense(1)], loss: 'squaredError', device: 'cpu' })
  const { tensors } = await network.snapshot()
  const [u, v] = tensors.find(({ name }) => name === 'layers.0.weight')!.data as Float32Array
  // d (y - target)^2 / d weight = 2 (y - target) x; biases start at 0.
  const [a, b] = [2 * (u! + 2 * v! - 1), 2 * (3 * u! - v!)]
  const near = (found: Float32Array, expected: number[]) =>
    expected.forEach((value, i) => {
      t.ok(Math.abs(found[i]! - value) < 1e-6, `${found[i]} is ${value}`)
    })
  const [one] = await network.gradients(two)
  near(one!.weights.mean, [(a + 3 * b) / 2, (2 * a - b) / 2])
  near(one!.bias!.mean, [(a + b) / 2])
  t.strictSame(one!.weights.magnitude, one!.weights.mean.map(Math.abs), 'one batch')
  const [each] = await network.gradients(two, { batchSize: 1 })
  near(each!.weights.mean, [(a + 3 * b) / 2, (2 * a - b) / 2])
  near(each!.weights.magnitude, [(Math.abs(a) + Math.abs(3 * b)) / 2, (Math.abs(2 * a) + Math.abs(b)) / 2])
  const [first] = await network.gradients(two, { samples: 1 })
  near(first!.weights.mean, [a, 2 * a])
})

t.test('gradients are the slopes of the loss', { skip: noAddon }, async (t) => {
  const networks: (Partial<NetworkOptions> & Pick<NetworkOptions, 'layers'>)[] = [
    { layers: [sparse(13, { activation: 'silu' }), sparse(8, { activation: 'tanh' }), dense(3)] },
    { layers: [sparse(13, { block: '4x1', activation: 'gelu' }), layerNorm(), dense(3)] },
    {
      layers: [
        sparse(11, { block: '3x2', activation: 'sigmoid' }),
        sparse(3, { activation: 'linear', bias: false }),
      ],
    },
    { layers: [dense(6, { activation: 'srelu' }), dense(3)], sparsity: 0 },
    { layers: [sparse(12, { activation: 'tanh' }), dense(3)], loss: 'binaryCrossEntropy' },
  ]
  for (const options of networks) {
    using network = made(options)
    await network.fit(data, { epochs: 2, batchSize: 7, optimizer: sgd({ learningRate: 0.2 }), threads: 1 })
    await checkSlopes(t, network, data, await network.gradients(data, { threads: 2 }))
    await checkSlopes(t, network, data, await network.gradients(data, { batchSize: 8, threads: 1 }))
  }
})

t.test('what blocks have beyond the layer has no gradient', { skip: noAddon }, async (t) => {
  using network = made({ layers: [sparse(11, { block: '4x4', activation: 'tanh' }), dense(3)] })
  const [{ pattern, weights }] = (await network.gradients(data)) as [LayerGradients]
  const { rowOffsets, columnIndices } = pattern!
  let padding = 0
  for (let row = 0; row < 3; row++) {
    for (let entry = Number(rowOffsets[row]); entry < Number(rowOffsets[row + 1]); entry++) {
      for (let i = 0; i < 16; i++) {
        const output = row * 4 + (i >> 2)
        const input = columnIndices[entry]! * 4 + (i & 3)
        if (output < 11 && input < features) continue
        padding++
        if (weights.magnitude[entry * 16 + i] !== 0) t.fail(`padding of entry ${entry} has a gradient`)
      }
    }
  }
  t.ok(padding > 0, `${padding} numbers beyond the layer`)
})

t.test('magnitudes are averaged over the batches', { skip: noAddon }, async (t) => {
  using network = made({ layers: [sparse(12), dense(3)] })
  const whole = await network.gradients(data, { batchSize: 8 })
  const batches = await Promise.all(
    [part(0, 8), part(8, 16), part(16, 21)].map((batch) => network.gradients(batch)),
  )
  whole.forEach(({ weights }, layer) => {
    const each = batches.map((batch) => batch[layer]!.weights.mean)
    weights.magnitude.forEach((magnitude, i) => {
      const [a, b, c] = each.map((mean) => Math.abs(mean[i]!))
      const expected = (8 * a! + 8 * b! + 5 * c!) / 21
      if (Math.abs(magnitude - expected) > 1e-6) t.fail(`${magnitude} instead of ${expected}`)
    })
  })
  t.ok(gradientConcentration(whole[0]!)! > 0)
  t.equal(gradientConcentration(whole[1]!), null, 'a dense layer has no hubs')
})

t.test(
  'nothing of the network changes, and training goes on as if not asked',
  { skip: noAddon },
  async (t) => {
    const options = {
      batchSize: 6,
      optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
      rewire: rigl({ every: 3 }),
      threads: 1,
    }
    const trained = async (ask: boolean) => {
      using network = made({ layers: [sparse(12), dropout(0.3), sparse(10), dense(3)] })
      await network.fit(data, { ...options, epochs: 3 })
      const before = bits(await network.snapshot())
      const progress = network.progress
      if (ask) {
        await network.gradients(data, { batchSize: 4 })
        t.strictSame(bits(await network.snapshot()), before)
        t.strictSame(network.progress, progress)
      }
      await network.fit(data, { ...options, epochs: 6, resume: true })
      return bits(await network.snapshot())
    }
    t.strictSame(await trained(true), await trained(false))
  },
)

t.test('dropout and DropConnect are off', { skip: noAddon }, async (t) => {
  const activation = 'tanh'
  const layers = [
    sparse(12, { activation, dropConnect: 0.5 }),
    dropout(0.6),
    sparse(8, { activation, masked: true }),
    dense(3, { dropConnect: 0.3 }),
  ]
  using network = made({ layers })
  await checkSlopes(t, network, data, await network.gradients(data))
})

t.test('threads change no bit', { skip: noAddon }, async (t) => {
  using network = made({ layers: [sparse(64), sparse(32), dense(3)] })
  const samples = clouds(300, features, 3)
  const [one, two] = [
    await network.gradients(samples, { threads: 1, batchSize: 150 }),
    await network.gradients(samples, { threads: 2, batchSize: 150 }),
  ]
  t.strictSame(two, one)
})

t.test('one call after another, none while a fit runs', { skip: noAddon }, async (t) => {
  using network = made({ layers: [sparse(12), dense(3)] })
  const [gradients, metrics] = await Promise.all([network.gradients(data), network.evaluate(data)])
  t.equal(gradients.length, 2)
  t.ok(metrics.loss > 0)
  const stop = new AbortController()
  const run = network.fit(data, { epochs: 1e6, signal: stop.signal })
  await t.rejects(network.gradients(data), {
    code: 'ERR_ESPALIER_STATE',
    message: 'gradients: a fit of this network is running; await the run, or abort its signal, first',
  })
  stop.abort()
  await run
  network.dispose()
  await t.rejects(network.gradients(data), { code: 'ERR_ESPALIER_STATE' })
})

t.test('wrong options and data are named', { skip: noAddon }, async (t) => {
  using network = made({ layers: [sparse(12), dense(3)] })
  const wrong = async (call: () => Promise<unknown>, code: string, message: string) =>
    t.rejects(call(), { code, message })
  await wrong(
    () => network.gradients(data, { samples: 22 }),
    'ERR_ESPALIER_OPTION',
    'gradients: option "samples" is 22; allowed: samples <= 21, which the data set has',
  )
  await wrong(
    () => network.gradients(data, { batchSize: 0 }),
    'ERR_ESPALIER_OPTION',
    'gradients: option "batchSize" is 0; allowed: a whole number, 1 <= batchSize <= 16777216',
  )
  await wrong(
    () => network.gradients(data, { batch: 3 } as object),
    'ERR_ESPALIER_OPTION',
    'gradients: unknown option "batch"; did you mean "batchSize"?',
  )
  await wrong(
    () => network.gradients(clouds(5, 4, 3)),
    'ERR_ESPALIER_DATA',
    'gradients: dataset has 4 features a sample; the network has 9 inputs',
  )
  const { name, samples, values, classes } = data
  await wrong(
    () => network.gradients({ name, samples, features, values, classes }),
    'ERR_ESPALIER_DATA',
    'gradients: dataset has no labels; loss softmaxCrossEntropy needs them',
  )
})

t.test('a loss that is not finite has no gradient', { skip: noAddon }, async (t) => {
  using network = made({ layers: [dense(3)], sparsity: 0, loss: 'squaredError' })
  const values = data.values.map(() => 3e38)
  await t.rejects(network.gradients({ ...data, values }), {
    code: 'ERR_ESPALIER_DIVERGED',
    message: 'the loss of these samples is not a finite number, so there is no gradient',
  })
  t.equal((await network.gradients(data)).length, 1, 'and the network can be asked again')
})
