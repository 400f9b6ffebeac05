import path from 'node:path'
import t from 'tap'
import {
  adam,
  adamw,
  dense,
  dropout,
  type FitOptions,
  layerNorm,
  Network,
  type NetworkSnapshot,
  rigl,
  type SparseOptions,
  set,
  sgd,
  sparse,
  writeCheckpoint,
} from '../../lib/index.js'
import { bits, clouds, noAddon } from '../model/support.js'
import { wholeNetwork, wholeNumbers } from '../support/whole-numbers.js'

const data = clouds(160, 20, 4)

const make = (masked: boolean, options: SparseOptions = {}) =>
  new Network({
    inputs: 20,
    layers: [
      sparse(33, { ...options, activation: 'gelu', masked }),
      layerNorm(),
      dropout(0.1),
      sparse(26, { ...options, activation: 'silu', masked }),
      sparse(4, { ...options, activation: 'linear', masked }),
    ],
    sparsity: 0.7,
    seed: 5,
    device: 'cpu',
  })

/** Largest difference of two snapshots' numbers, relative to the largest number of each tensor. */
function distance(a: NetworkSnapshot, b: NetworkSnapshot): number {
  const distances = a.tensors.map(({ name, data }) => {
    const other = b.tensors.find((tensor) => tensor.name === name)!.data
    let [apart, largest] = [0, 0]
    data.forEach((value, i) => {
      apart = Math.max(apart, Math.abs(Number(value) - Number(other[i])))
      largest = Math.max(largest, Math.abs(Number(value)))
    })
    return apart / Math.max(largest, 1e-12)
  })
  return Math.max(...distances)
}

const names = ({ tensors }: NetworkSnapshot) => tensors.map(({ name, shape }) => `${name} ${shape.join('x')}`)

t.test('fifty steps equal those of the sparse layer', { skip: noAddon }, async (t) => {
  const cases: [string, SparseOptions, Partial<FitOptions>][] = [
    ['1 x 1', {}, {}],
    ['4 x 1', { block: '4x1' }, { threads: 2 }],
    ['8 x 8', { block: '8x8' }, { threads: 3 }],
    ['3 x 5', { block: '3x5' }, { optimizer: adam({ learningRate: 1e-3, epsilon: 1e-3 }) }],
    ['DropConnect', { dropConnect: 0.3 }, { threads: 2 }],
    ['L1', {}, { optimizer: sgd({ learningRate: 0.05, l1: 1e-3 }) }],
    ['AdamW', { block: '4x4' }, { optimizer: adamw({ learningRate: 1e-3, epsilon: 1e-3 }) }],
    ['several panels', { block: '4x4' }, { batchSize: 150, epochs: 25, threads: 2 }],
    ['SET', { block: '4x1' }, { rewire: set({ every: 5, until: 1 }) }],
  ]
  for (const [name, options, fit] of cases) {
    using masked = make(true, options)
    using sparse = make(false, options)
    t.strictSame(names(await masked.snapshot()), names(await sparse.snapshot()), 'the same tensors')
    const settings = { epochs: 5, batchSize: 16, optimizer: sgd({ learningRate: 0.05 }), threads: 1, ...fit }
    const [given, expected] = [await masked.fit(data, settings), await sparse.fit(data, settings)]
    t.equal(given.steps, 50)
    for (const [i, { train }] of given.history.entries()) {
      const loss = expected.history[i]!.train.loss
      t.ok(Math.abs(train.loss - loss) < 1e-4 * loss, `${name}: loss ${train.loss}, sparse ${loss}`)
    }
    const apart = distance(await masked.snapshot(), await sparse.snapshot())
    t.ok(apart < 1e-4, `${name}: weights and optimizer state are ${apart} apart`)
    for (const rows of [data.values, data.values.slice(0, 20)]) {
      const [a, b] = [await masked.predict(rows), await sparse.predict(rows)]
      t.ok(
        a.every((value, i) => Math.abs(value - b[i]!) < 1e-4),
        `${name}: the same predictions`,
      )
    }
  }
})

t.test('SET and RigL move the same connections', { skip: noAddon }, async (t) => {
  const topology = ({ tensors }: NetworkSnapshot) =>
    tensors.filter(({ name }) => /(crow_indices|col_indices)$/.test(name)).map(({ data }) => data.join())
  const file = path.join(t.testdir(), 'whole.safetensors')
  for (const block of ['1x1', '4x1', '3x5'] as const) {
    const layers = (masked: boolean) => [
      sparse(100, { block, masked }),
      sparse(80, { block, masked, activation: 'linear' }),
      dense(4),
    ]
    const whole = await wholeNetwork(layers(false))
    for (const rewire of [
      set({ every: 1, until: 1 }),
      rigl({ every: 1, until: 1, fractionSchedule: 'constant' }),
    ]) {
      const results: NetworkSnapshot[] = []
      for (const masked of [false, true]) {
        await writeCheckpoint(file, {
          ...whole,
          description: { ...whole.description, layers: layers(masked) },
        })
        using network = await Network.load(file, { device: 'cpu' })
        // So small that no weight of a usual size changes.
        const optimizer = sgd({ learningRate: 1e-30 })
        const { rewirings } = await network.fit(wholeNumbers, {
          epochs: 4,
          batchSize: 16,
          optimizer,
          rewire,
          threads: 2,
        })
        t.equal(rewirings.length, 3)
        results.push(await network.snapshot())
      }
      t.strictSame(topology(results[1]!), topology(results[0]!), `${rewire.type}, ${block}`)
      t.notSame(topology(results[1]!), topology(whole), 'connections have moved')
    }
  }
})

t.test(
  'threads change no bit, and a resumed run equals an uninterrupted one',
  { skip: noAddon },
  async (t) => {
    const options: SparseOptions = { block: '3x5', dropConnect: 0.2 }
    const settings = { batchSize: 20, optimizer: adam(), rewire: rigl({ every: 5, until: 1 }) }
    using whole = make(true, options)
    await whole.fit(data, { ...settings, epochs: 4, threads: 1 })
    using half = make(true, options)
    const first = await half.fit(data, { ...settings, epochs: 4, threads: 3, maxSteps: 13 })
    t.match(first, { reason: 'maxSteps', rewirings: { length: 2 } })
    const file = path.join(t.testdir(), 'masked.safetensors')
    await half.save(file)
    using resumed = await Network.load(file, { device: 'cpu' })
    t.strictSame(bits(await resumed.snapshot()), bits(await half.snapshot()), 'the file holds everything')
    t.match(resumed.description.layers[0], { type: 'sparse', masked: true })
    await resumed.fit(data, { ...settings, epochs: 4, threads: 2, resume: true })
    t.strictSame(bits(await resumed.snapshot()), bits(await whole.snapshot()))
  },
)

t.test('it is kept as a dense matrix beside its connections', { skip: noAddon }, async (t) => {
  const settings = { epochs: 1, batchSize: 16, threads: 1 }
  const workspace = async (masked: boolean) => {
    using network = new Network({
      inputs: 20,
      layers: [sparse(1000, { masked }), sparse(1000, { masked }), dense(4)],
      sparsity: 0.99,
      device: 'cpu',
    })
    await network.fit(data, settings)
    return network.memory().workspace
  }
  const [dear, cheap] = [await workspace(true), await workspace(false)]
  const matrices = 4 * (20 * 1000 + 1000 * 1000)
  t.ok(dear - cheap > matrices && dear - cheap < 1.2 * matrices, `${dear} bytes instead of ${cheap}`)
})
