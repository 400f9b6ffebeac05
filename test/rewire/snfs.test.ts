import t, { type Test } from 'tap'
import { type Dataset, dense, Network, rigl, snfs, sparse } from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'
import { roundedWeights } from './rounded.js'
import { crafted, still } from './support.js'

const linear = { activation: 'linear', bias: false } as const
const rule = { every: 2, until: 1, fraction: 0.34, fractionSchedule: 'constant' } as const
const options = { epochs: 2, batchSize: 1, shuffle: false, optimizer: still, threads: 1 }

/**
 * Outputs of the first sample are 3 and 8.5, of the second 3 and 0; so the gradients are
 *   3 1.5 12 | 8.5 4.25 34   and   0 0 0 | 2 0 0
 */
const data: Dataset = {
  name: 'two samples',
  samples: 2,
  features: 3,
  values: Float32Array.of(1, 0.5, 4, 1, 0, 0),
  targets: Float32Array.of(0, 0, 3, -2),
  outputs: 2,
  classes: 0,
}

const make = (test: Test) =>
  crafted(
    test,
    { inputs: 3, layers: [sparse(2, linear)], sparsity: 0.5, loss: 'squaredError' },
    {
      0: [
        [3, null, null],
        [null, 1, 2],
      ],
    },
  )

t.test('it grows where the average is largest', { skip: noAddon }, async (t) => {
  const grownBy = async (rewire: ReturnType<typeof snfs> | ReturnType<typeof rigl>) => {
    const network = await make(t)
    const result = await network.fit(data, { ...options, rewire })
    t.match(result.rewirings, [{ step: 2, layers: [{ moved: 1, returned: 0, connections: 3 }] }])
    return { weights: roundedWeights(await network.snapshot(), 0), snapshot: await network.snapshot() }
  }
  // 0.09 of the first and 0.1 of the second: 1.08 for the last of row 0, 0.965 for the first of row 1.
  const averaged = await grownBy(snfs({ ...rule, sampleEvery: 1 }))
  t.strictSame(averaged.weights, [
    [3, null, 0],
    [null, null, 2],
  ])
  const last = [
    [3, null, null],
    [0, null, 2],
  ]
  // The second alone, whether it is sampled for itself or for the rewiring; as RigL does.
  t.strictSame((await grownBy(snfs({ ...rule, sampleEvery: 2 }))).weights, last)
  t.strictSame((await grownBy(snfs({ ...rule, sampleEvery: 1000 }))).weights, last)
  t.strictSame((await grownBy(rigl({ ...rule, skipUpdate: false }))).weights, last)

  const average = averaged.snapshot.tensors.find(({ name }) => name === 'layers.0.rewire.snfs.average')!
  // One more sample follows the rewiring; the second output is 8 now. The last step of training is not sampled.
  const expected = [3, 1.5, 12, 8.5, 4.25, 34].map((first, i) => {
    const second = [0, 0, 0, 2, 0, 0][i]!
    return 0.9 * (0.09 * first + 0.1 * second) + 0.1 * [3, 1.5, 12, 8, 4, 32][i]!
  })
  t.equal(average.data.length, 6)
  expected.forEach((value, i) => {
    t.ok(Math.abs(Number(average.data[i]) - value) < 1e-5, `${average.data[i]} is ${value}`)
  })
})

t.test('layers gain and lose, and the sum stays', { skip: noAddon }, async (t) => {
  const train = clouds(400, 20, 3)
  const network = new Network({
    inputs: 20,
    layers: [sparse(30), sparse(24), dense(3)],
    sparsity: 0.8,
    seed: 2,
    device: 'cpu',
  })
  const before = network.summary().map((layer) => layer.connections)
  const result = await network.fit(train, { epochs: 6, batchSize: 40, rewire: snfs({ fraction: 0.5 }) })
  const sum = before[0]! + before[1]!
  t.equal(result.rewirings.length, 5)
  let changed = 0
  for (const { layers } of result.rewirings) {
    const [one, other] = layers as [(typeof layers)[0], (typeof layers)[0]]
    t.equal(one.connections + other.connections, sum)
    if (one.connections !== before[0]) changed++
  }
  t.ok(changed > 0, 'connections went from layer to layer')
  t.equal(network.summary()[0]!.connections, result.rewirings.at(-1)!.layers[0]!.connections)

  const fixed = new Network({
    inputs: 20,
    layers: [sparse(30), sparse(24), dense(3)],
    sparsity: 0.8,
    seed: 2,
  })
  await fixed.fit(train, { epochs: 6, batchSize: 40, rewire: snfs({ redistribute: false }) })
  t.strictSame(
    fixed.summary().map((layer) => layer.connections),
    before,
  )
})

t.test('even where everything is dropped no layer ends empty', { skip: noAddon }, async (t) => {
  const network = new Network({
    inputs: 20,
    layers: [sparse(30), sparse(3, { activation: 'linear' })],
    sparsity: 0.95,
    device: 'cpu',
  })
  const rewire = snfs({ fraction: 1, fractionSchedule: 'constant', every: 3 })
  const result = await network.fit(clouds(200, 20, 3), { epochs: 3, batchSize: 20, rewire })
  for (const { layers } of result.rewirings) {
    t.ok(layers.every(({ connections }) => connections > 0))
    t.equal(layers[0]!.connections + layers[1]!.connections, 35)
  }
})

t.test('what cannot be is said before anything is trained', { skip: noAddon }, async (t) => {
  const network = new Network({
    inputs: 8,
    layers: [sparse(16), sparse(16, { block: '4x1' }), dense(2)],
    sparsity: 0.5,
    device: 'cpu',
  })
  const before = await network.snapshot()
  await t.rejects(network.fit(clouds(64, 8, 2), { epochs: 3, rewire: snfs() }), {
    code: 'ERR_ESPALIER_OPTION',
    message: /snfs: connections can move from layer to layer only where.*allowed: redistribute: false/,
  })
  t.same((await network.snapshot()).tensors, before.tensors)
  await network.fit(clouds(64, 8, 2), { epochs: 3, rewire: snfs({ redistribute: false }) })
  t.throws(() => snfs({ smoothing: 1 }), {
    code: 'ERR_ESPALIER_OPTION',
    message: 'snfs: option "smoothing" is 1; allowed: 0 <= smoothing < 1',
  })
})
