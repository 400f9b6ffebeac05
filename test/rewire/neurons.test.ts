import path from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import {
  adam,
  adamw,
  dense,
  importancePruning,
  invertedRigl,
  layerNorm,
  Network,
  npset,
  pruneNeurons,
  type RewireRule,
  readCheckpoint,
  rigl,
  set,
  sgd,
  sparse,
  staticTopology,
  uniform,
  writeCheckpoint,
} from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'
import { crafted, oneSample, removedOf, settled, still, type Weights, weightsOf } from './support.js'

/** Sums of |weights| into the four neurons: 1, 4, 0.75, 3; out of them: 0.6, 0.2, 10, 0.5. */
const incoming: Weights = [
  [1, null, null, null],
  [null, 2, -2, null],
  [null, null, 0.5, 0.25],
  [3, null, null, null],
]
const outgoing: Weights = [
  [0.3, 0.1, 5, 0.25],
  [-0.3, -0.1, 5, -0.25],
]
const data = oneSample([1, 2, 3, 4], [1, 2])
const once = { from: 0, until: 1, fraction: 0.5 }
const two = { epochs: 2, batchSize: 1, optimizer: still, threads: 1 }
const small = { inputs: 4, layers: [sparse(4), dense(2)], loss: 'squaredError' } as const

t.test('the neurons that are worth least go, by each criterion', { skip: noAddon }, async (t) => {
  for (const [criterion, gone] of [
    ['incoming', [0, 2]],
    ['outgoing', [1, 3]],
    ['product', [0, 1]],
  ] as const) {
    const network = await crafted(t, small, { 0: incoming, 1: outgoing })
    const neurons = pruneNeurons({ ...once, criterion, budget: 'release' })
    const result = await network.fit(data, { ...two, rewire: staticTopology({ neurons }) })
    const end = await network.snapshot()
    t.strictSame(removedOf(end, 0), gone, criterion)
    t.strictSame(
      weightsOf(end, 0),
      incoming.map((row, neuron) => (gone.some((one) => one === neuron) ? [null, null, null, null] : row)),
    )
    t.strictSame(
      weightsOf(end, 1),
      outgoing.map((row) =>
        row.map((weight, i) => (gone.some((one) => one === i) ? 0 : Math.fround(weight!))),
      ),
    )
    const left = weightsOf(end, 0)
      .flat()
      .filter((weight) => weight !== null).length
    t.match(result.rewirings, [
      { epoch: 1, fraction: 0, layers: [{ moved: 0, connections: left, removedNeurons: 2 }] },
    ])
    t.equal(result.rewirings.length, 1)
    t.match(network.summary(), [{ connections: left, removedNeurons: 2 }, { removedNeurons: 0 }])
  }
})

t.test('their budget goes to the living, where that is asked for', { skip: noAddon }, async (t) => {
  const network = await crafted(t, small, { 0: incoming, 1: outgoing })
  const rewire = staticTopology({ neurons: pruneNeurons(once) })
  const result = await network.fit(data, { ...two, rewire })
  const end = settled(weightsOf(await network.snapshot(), 0))
  t.strictSame([end[0], end[2]], [new Array(4).fill(null), new Array(4).fill(null)])
  t.equal(end.flat().filter((weight) => weight !== null).length, 6)
  t.equal(end.flat().filter((weight) => weight === 0).length, 3, 'three were laid, and start at zero')
  t.equal(end[1]![1], 2)
  t.equal(end[3]![0], 3)
  t.match(result.rewirings, [{ layers: [{ moved: 3, returned: 0, connections: 6 }] }])
})

t.test('a full layer keeps what it has room for', { skip: noAddon }, async (t) => {
  const full: Weights = Array.from({ length: 4 }, (_, i) => new Array(4).fill(i + 1))
  const network = await crafted(t, small, { 0: full })
  await network.fit(data, { ...two, rewire: staticTopology({ neurons: pruneNeurons(once) }) })
  t.equal(network.summary()[0]!.connections, 8)
})

t.test(
  'importance pruning takes a share of the living, and gives connections up',
  { skip: noAddon },
  async (t) => {
    const neurons = 10
    const rows: Weights = Array.from({ length: neurons }, (_, i) => [10 - i, i % 2 === 0 ? 0.5 : null])
    const network = await crafted(
      t,
      { inputs: 2, layers: [sparse(neurons), sparse(6), dense(2)], loss: 'squaredError' },
      { 0: rows },
    )
    const rewire = set({ neurons: importancePruning({ from: 0, every: 2, percentile: 30 }) })
    const gone: number[][] = []
    const run = network.fit(oneSample([1, 1], [0, 0]), { ...two, epochs: 8, rewire })
    for await (const event of run) {
      if (event.type === 'rewire') gone.push(event.layers.map(({ removedNeurons }) => removedNeurons))
    }
    // After epochs 1, 3, 5, 7: 3 of 10, 2 of 7, 1 of 5, 1 of 4; and 1 of 6, 1 of 5, 1 of 4, 0 of 3.
    t.strictSame(
      gone.filter((_, i) => i % 2 === 0),
      [
        [3, 1],
        [5, 2],
        [6, 3],
        [7, 3],
      ],
    )
    t.ok(removedOf(await network.snapshot(), 0).includes(9), 'the weakest at first')
  },
)

const parts = fc.record({
  inputs: fc.integer({ min: 3, max: 12 }),
  widths: fc.array(fc.integer({ min: 2, max: 14 }), { minLength: 1, maxLength: 3 }),
  block: fc.constantFrom('1x1', '2x1', '1x2', '3x2'),
  sparsity: fc.double({ min: 0, max: 0.8, noNaN: true }),
  normalised: fc.boolean(),
  masked: fc.boolean(),
  sparseEnd: fc.boolean(),
  activation: fc.constantFrom('relu', 'srelu', 'tanh', 'silu'),
  rule: fc.constantFrom('static', 'set', 'rigl'),
  optimizer: fc.constantFrom(sgd({ learningRate: 0.05, l1: 1e-3 }), adam(), adamw()),
  criterion: fc.constantFrom('incoming', 'outgoing', 'product'),
  budget: fc.constantFrom('keep', 'release'),
  fraction: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
  every: fc.integer({ min: 1, max: 2 }),
  seed: fc.nat(1000),
})

t.test(
  'whatever the network, removed neurons have nothing and stay removed',
  { skip: noAddon },
  async (t) => {
    const rules = {
      static: (neurons: ReturnType<typeof pruneNeurons>) => staticTopology({ neurons }),
      set: (neurons: ReturnType<typeof pruneNeurons>) => set({ neurons }),
      rigl: (neurons: ReturnType<typeof pruneNeurons>) => rigl({ every: 2, until: 1, neurons }),
    }
    let emptied = 0
    const check = fc.asyncProperty(parts, async (each) => {
      const { inputs, widths, block, criterion, budget, fraction, every } = each
      const network = new Network({
        inputs,
        layers: [
          ...widths.flatMap((width) => [
            sparse(width, { block, activation: each.activation, masked: each.masked }),
            ...(each.normalised ? [layerNorm()] : []),
          ]),
          each.sparseEnd ? sparse(3, { activation: 'linear' }) : dense(3),
        ],
        sparsity: each.sparsity,
        topology: uniform(),
        seed: each.seed,
        device: 'cpu',
      })
      const neurons = pruneNeurons({ from: 0, until: 0.8, criterion, budget, fraction, every })
      const before = network.summary()
      const run = network.fit(clouds(24, inputs, 3), {
        epochs: 5,
        batchSize: 8,
        optimizer: each.optimizer,
        rewire: rules[each.rule](neurons),
        threads: 1,
      })
      try {
        await run
      } catch (error) {
        if (!/without a connection/.test(String(error))) throw error
        emptied++
        return
      }
      const end = await network.snapshot()
      const after = network.summary()
      const find = (name: string) => end.tensors.find((tensor) => tensor.name === name)?.data as Float32Array
      let gone: number[] = []
      end.description.layers.forEach((layer, i) => {
        if (layer.type === 'layerNorm') {
          for (const neuron of gone) {
            if (find(`layers.${i}.gain`)[neuron] !== 0 || find(`layers.${i}.shift`)[neuron] !== 0)
              throw new Error(`neuron ${neuron} is heard through layer ${i}`)
          }
          return
        }
        const [height, width] = layer.type === 'sparse' ? layer.block : [1, 1]
        const own = removedOf(end, i)
        if (layer.type === 'dense') {
          for (const row of weightsOf(end, i))
            for (const j of gone) if (row[j] !== 0) throw new Error('dense')
        } else if (layer.type === 'sparse') {
          const offsets = end.tensors.find(({ name }) => name === `layers.${i}.crow_indices`)!.data
          const columns = end.tensors.find(({ name }) => name === `layers.${i}.col_indices`)!.data
          for (let row = 0; row + 1 < offsets.length; row++) {
            for (let at = Number(offsets[row]); at < Number(offsets[row + 1]); at++) {
              if (own.includes(row * height))
                throw new Error(`removed row ${row} of layer ${i} has a connection`)
              if (gone.includes(Number(columns[at]) * width)) throw new Error(`removed column of layer ${i}`)
            }
          }
          const last = i === end.description.layers.length - 1
          const above = end.description.layers
            .slice(i + 1)
            .find(({ type }) => type === 'sparse' || type === 'dense')
          const group = last ? 1 : lcm(height, above?.type === 'sparse' ? above.block[1] : 1)
          const groups = Math.ceil(layer.outputs / group)
          const expected = last ? 0 : Math.floor(fraction * groups + 1e-9)
          const found = new Set(own.map((neuron) => Math.floor(neuron / group))).size
          if (found !== expected) throw new Error(`${found} of ${groups} groups went; expected ${expected}`)
          if (after[i]!.removedNeurons !== own.length) throw new Error('summary')
          if (budget === 'keep' && block === '1x1') {
            const room = (layer.outputs - own.length) * (after[i]!.inputs - gone.length)
            const kept = Math.min(before[i]!.connections, room)
            if (after[i]!.connections !== kept)
              throw new Error(`${after[i]!.connections} connections; ${kept} expected`)
          }
        }
        gone = own
      })
    })
    await fc.assert(check, { numRuns: 300, seed: 5 })
    t.ok(emptied < 100, `${emptied} were refused`)
  },
)

const lcm = (a: number, b: number): number => {
  const gcd = (x: number, y: number): number => (y === 0 ? x : gcd(y, x % y))
  return (a / gcd(a, b)) * b
}

t.test('it still learns with half of its neurons', { skip: noAddon }, async (t) => {
  const network = new Network({ inputs: 20, layers: [sparse(64), sparse(64), dense(3)], sparsity: 0.8 })
  const result = await network.fit(clouds(1200, 20, 3), { epochs: 8, batchSize: 32, rewire: npset() })
  t.match(network.summary(), [{ removedNeurons: 32 }, { removedNeurons: 32 }, { removedNeurons: 0 }])
  t.ok(result.trainAccuracy! > 0.95, String(result.trainAccuracy))
})

t.test('a resumed run leaves them alone whatever its rule', { skip: noAddon }, async (t) => {
  for (const rewire of [rigl({ every: 2, until: 1 }), set(), invertedRigl({ every: 2, until: 1 })]) {
    const network = new Network({ inputs: 12, layers: [sparse(20), sparse(16), dense(3)], sparsity: 0.7 })
    const samples = clouds(120, 12, 3)
    await network.fit(samples, { epochs: 4, batchSize: 16, rewire: npset() })
    const counts = () => network.summary().map(({ connections }) => connections)
    const before = counts()
    await network.fit(samples, { epochs: 9, rewire, resume: true })
    const end = await network.snapshot()
    for (const layer of [0, 1]) {
      const gone = removedOf(end, layer)
      t.equal(gone.length, layer === 0 ? 10 : 8)
      t.ok(gone.every((neuron) => weightsOf(end, layer)[neuron]!.every((weight) => weight === null)))
    }
    t.ok(weightsOf(end, 1).every((row) => removedOf(end, 0).every((neuron) => row[neuron] === null)))
    t.strictSame(counts(), before)
  }
})

t.test('what cannot be is said before anything is trained', { skip: noAddon }, async (t) => {
  const cases: [RewireRule, Network, RegExp][] = [
    [
      set({ neurons: pruneNeurons() }),
      new Network({ inputs: 4, layers: [sparse(3, { activation: 'linear' })], sparsity: 0.5 }),
      /^neurons: no layer has neurons to remove; allowed: a network with a sparse hidden layer$/,
    ],
    [
      npset({}, { from: 0.95, until: 1 }),
      new Network({ inputs: 4, layers: [sparse(8), dense(3)], sparsity: 0.5 }),
      /^neurons: of 3 epochs none but perhaps the last lies between/,
    ],
    [
      staticTopology({ neurons: pruneNeurons() }),
      new Network({ inputs: 4, layers: [sparse(8, { activation: 'sigmoid' }), dense(3)], sparsity: 0.5 }),
      /^neurons: layer 0 has the activation sigmoid.*allowed: another activation/,
    ],
  ]
  for (const [rewire, network, message] of cases) {
    const before = await network.snapshot()
    const run = network.fit(clouds(30, 4, 3), { epochs: 3, rewire })
    await t.rejects(run, { code: 'ERR_ESPALIER_OPTION', message })
    t.same((await network.snapshot()).tensors, before.tensors)
    t.equal(network.progress.steps, 0)
  }
})

t.test('a layer is never left without a connection', { skip: noAddon }, async (t) => {
  const network = await crafted(
    t,
    { inputs: 2, layers: [sparse(2), sparse(2), dense(2)], loss: 'squaredError' },
    {
      0: [
        [1, 1],
        [5, 5],
      ],
      1: [
        [9, null],
        [1, null],
      ],
    },
  )
  const before = await network.snapshot()
  const neurons = pruneNeurons({ ...once, budget: 'release' })
  await t.rejects(network.fit(oneSample([1, 1], [0, 0]), { ...two, rewire: staticTopology({ neurons }) }), {
    code: 'ERR_ESPALIER_OPTION',
    message:
      "neurons: removing so many would leave layer 1 without a connection; allowed: a smaller share, a later start, or budget 'keep'",
  })
  const after = await network.snapshot()
  t.same(weightsOf(after, 1), weightsOf(before, 1), 'nothing has changed')
  t.same(removedOf(after, 0), [])
})

t.test('memory that does not fit is refused by name', { skip: noAddon }, async (t) => {
  const network = await crafted(t, small, { 0: incoming, 1: outgoing })
  await network.fit(data, { ...two, rewire: staticTopology({ neurons: pruneNeurons(once) }) })
  const file = path.join(t.testdir(), 'bad.safetensors')
  await network.save(file)
  const good = await readCheckpoint(file)
  const spoilt = async (change: object) => {
    const tensors = good.tensors.map((one) =>
      one.name === 'layers.0.rewire.removed' ? { ...one, ...change } : one,
    )
    await writeCheckpoint(file, { ...good, tensors })
    return Network.load(file)
  }
  await t.rejects(spoilt({ shape: [3], data: new Int32Array(3) }), {
    code: 'ERR_ESPALIER_FORMAT',
    message: /what rewirings remember as removed has 3 numbers; the network needs 4/,
  })
  await t.rejects(spoilt({ data: new BigInt64Array(4) }), {
    message: /rewire\.removed must be of type int32/,
  })
  await t.rejects(spoilt({ name: 'layers.7.rewire.removed' }), { message: /belongs to no layer/ })
})
