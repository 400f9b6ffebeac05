import path from 'node:path'
import t from 'tap'
import {
  adam,
  dense,
  type Layer,
  layerNorm,
  Network,
  rigl,
  sgd,
  sparse,
  type TensorData,
  writeCheckpoint,
} from '../../lib/index.js'
import { bits, clouds, noAddon } from '../model/support.js'
import { dropConnectFactor } from '../support/philox.js'

const seed = 6
const rate = 0.4

const make = (layers: readonly Layer[]) =>
  new Network({ inputs: 20, layers, sparsity: 0.6, seed, device: 'cpu' })

/** Every kind of layer that has weights. Normalisation gives every neuron a value and a gradient, whatever it is connected to. */
const everyKind = (dropConnect: number) => [
  sparse(30, { activation: 'tanh', dropConnect }),
  layerNorm(),
  sparse(26, { activation: 'tanh', block: '4x4', dropConnect }),
  layerNorm(),
  sparse(22, { activation: 'tanh', block: '3x5', dropConnect, masked: true }),
  layerNorm(),
  dense(18, { activation: 'tanh', dropConnect }),
  dense(3),
]

const weightsOf = async (network: Network, layer: number): Promise<TensorData> => {
  const { tensors } = await network.snapshot()
  return tensors.find(({ name }) => name === `layers.${layer}.values` || name === `layers.${layer}.weight`)!
    .data
}

t.test('a step moves exactly the weights that it has', { skip: noAddon }, async (t) => {
  // One panel, panels one after the other, and panels side by side.
  for (const [samples, threads, steps] of [
    [40, 1, 1],
    [40, 3, 2],
    [300, 1, 1],
    [300, 2, 2],
    [300, 3, 1],
    [300, 4, 3],
  ] as const) {
    using network = make(everyKind(rate))
    const layers = [0, 2, 4, 6]
    const before = await Promise.all(layers.map((layer) => weightsOf(network, layer)))
    await network.fit(clouds(samples, 20, 3), {
      epochs: steps,
      batchSize: samples,
      optimizer: sgd({ learningRate: 1, momentum: 0 }),
      threads,
    })
    for (const [i, layer] of layers.entries()) {
      const after = await weightsOf(network, layer)
      const kept = (weight: number) =>
        Array.from({ length: steps }, (_, k) => dropConnectFactor(rate, seed, layer, k + 1, weight)).some(
          (factor) => factor > 0,
        )
      let [wrong, moved] = [0, 0]
      after.forEach((weight, k) => {
        const old = before[i]![k]!
        // What blocks hold beyond the matrix is 0 and stays so.
        const expected = old !== 0 && kept(k)
        if (expected) moved++
        if ((weight !== old) !== expected) wrong++
      })
      t.equal(wrong, 0, `${samples} samples, ${threads} threads, layer ${layer}: ${moved} weights moved`)
      const share = moved / before[i]!.filter((weight) => weight !== 0).length
      t.ok(Math.abs(share - (1 - rate ** steps)) < 0.1, `${share} of them in ${steps} steps`)
    }
  }
})

t.test('any number of threads gives the same bits', { skip: noAddon }, async (t) => {
  const results = []
  for (const threads of [1, 2, 3, 4]) {
    using network = make(everyKind(rate))
    const rewire = rigl({ every: 2 })
    await network.fit(clouds(500, 20, 3), { epochs: 3, batchSize: 250, rewire, threads })
    results.push(bits(await network.snapshot()))
  }
  for (const result of results.slice(1)) t.strictSame(result, results[0])
})

t.test('a mask that leaves out nothing changes no bit', { skip: noAddon }, async (t) => {
  const results = []
  // 1 / (1 - 1e-12) is 1 in float32, and one in 2^32 weights is left out.
  for (const dropConnect of [0, 1e-12]) {
    using network = make(everyKind(dropConnect))
    await network.fit(clouds(300, 20, 3), {
      epochs: 3,
      batchSize: 50,
      rewire: rigl({ every: 4 }),
      threads: 2,
    })
    results.push(bits(await network.snapshot()))
  }
  t.strictSame(results[1], results[0])
})

t.test('evaluation and prediction use the weights as they are', { skip: noAddon }, async (t) => {
  const data = clouds(300, 20, 3)
  const validation = clouds(200, 20, 3, 2)
  using network = make(everyKind(rate))
  const result = await network.fit(data, { epochs: 2, batchSize: 50, validation, threads: 2 })
  const plain = await network.snapshot()
  const description = {
    ...plain.description,
    layers: plain.description.layers.map((layer) =>
      'dropConnect' in layer ? { ...layer, dropConnect: 0 } : layer,
    ),
  }
  const file = path.join(t.testdir(), 'plain.safetensors')
  await writeCheckpoint(file, { ...plain, description })
  using whole = await Network.load(file, { device: 'cpu' })
  const expected = await whole.evaluate(validation)
  t.strictSame(result.validation, expected, 'on the device that trains')
  t.strictSame(await network.evaluate(validation), expected, 'and afterwards')
  t.strictSame(await network.predict(validation), await whole.predict(validation))
})

t.test('a resumed run equals an uninterrupted one, bit for bit', { skip: noAddon }, async (t) => {
  const data = clouds(300, 20, 3)
  const settings = {
    batchSize: 20,
    rewire: rigl({ every: 7, until: 1 }),
    optimizer: adam({ l1: 1e-4 }),
    threads: 2,
  }
  using whole = make(everyKind(rate))
  await whole.fit(data, { ...settings, epochs: 4 })
  using half = make(everyKind(rate))
  const first = await half.fit(data, { ...settings, epochs: 4, maxSteps: 23 })
  t.match(first, { reason: 'maxSteps', rewirings: { length: 3 } })
  const file = path.join(t.testdir(), 'half.safetensors')
  await half.save(file)
  using resumed = await Network.load(file, { device: 'cpu' })
  await resumed.fit(data, { ...settings, epochs: 4, resume: true })
  t.strictSame(bits(await resumed.snapshot()), bits(await whole.snapshot()))
})
