/** What holds for every rule that works on the host's state. */
import path from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import {
  adam,
  dense,
  dropout,
  granet,
  importancePruning,
  invertedRigl,
  layerNorm,
  Network,
  npset,
  pruneNeurons,
  type RewireRule,
  rigl,
  riglItop,
  set,
  setItop,
  sgd,
  sparse,
  staticTopology,
} from '../../lib/index.js'
import { bits, clouds, noAddon } from '../model/support.js'

const data = clouds(400, 30, 3)
const steps = 25

const rules: Record<string, RewireRule> = {
  'inverted RigL': invertedRigl({ every: 7, trackExploration: true }),
  GraNet: granet({ every: 7, finalSparsity: 0.95 }),
  NPSET: npset({}, { from: 0, until: 0.8 }),
  'NPSET, released': npset({ prune: 'magnitude' }, { budget: 'release', criterion: 'product' }),
  'RigL and neurons': rigl({ every: 7, until: 1, neurons: pruneNeurons({ criterion: 'outgoing' }) }),
  'neurons alone': staticTopology({ neurons: pruneNeurons({ until: 0.9 }) }),
  'importance pruning': set({ neurons: importancePruning({ from: 0, every: 1 }) }),
  'SET-ITOP': setItop({ every: 11 }),
  'RigL-ITOP': riglItop({ every: 11 }),
}

const make = () =>
  new Network({
    inputs: 30,
    layers: [
      sparse(48, { activation: 'srelu' }),
      layerNorm(),
      dropout(0.2),
      sparse(40, { block: '4x1' }),
      dense(3),
    ],
    sparsity: 0.7,
    seed: 3,
    device: 'cpu',
  })

for (const [name, rewire] of Object.entries(rules)) {
  const settings = { epochs: 5, batchSize: 16, rewire }

  t.test(`${name}: a resumed run equals an uninterrupted one, bit for bit`, { skip: noAddon }, async (t) => {
    for (const optimizer of [sgd({ learningRate: 0.05 }), adam()]) {
      const whole = make()
      const result = await whole.fit(data, { ...settings, optimizer, threads: 1 })
      t.ok(result.rewirings.length > 1)
      for (const epochs of [1, 2, 3]) {
        const interrupted = make()
        const controller = new AbortController()
        const first = interrupted.fit(data, {
          ...settings,
          optimizer,
          threads: 1,
          signal: controller.signal,
        })
        for await (const event of first) {
          if (event.type === 'epoch' && event.epoch === epochs) controller.abort()
        }
        const file = path.join(t.testdir(), 'middle.safetensors')
        await interrupted.save(file)
        const resumed = await Network.load(file, { device: 'cpu' })
        t.strictSame(
          bits(await resumed.snapshot()),
          bits(await interrupted.snapshot()),
          'everything is saved',
        )
        t.strictSame(resumed.summary(), interrupted.summary())
        await resumed.fit(data, { ...settings, optimizer, threads: 1, resume: true })
        t.strictSame(bits(await resumed.snapshot()), bits(await whole.snapshot()), `from epoch ${epochs} on`)
        t.equal(resumed.progress.steps, 5 * steps)
      }
    }
  })

  t.test(`${name}: any number of threads gives the same bits`, { skip: noAddon }, async (t) => {
    const one = make()
    const told = await one.fit(data, { ...settings, threads: 1 })
    for (const threads of [2, 3]) {
      const many = make()
      const result = await many.fit(data, { ...settings, threads })
      t.strictSame(bits(await many.snapshot()), bits(await one.snapshot()), `${threads} threads`)
      t.strictSame(result.rewirings, told.rewirings)
    }
  })
}

t.test('SET and RigL on the host move what the device moves', { skip: noAddon }, async (t) => {
  // A share so small that no neuron goes, but the host is asked every time.
  const neurons = pruneNeurons({ fraction: 0.001, from: 0, until: 1 })
  const magnitude = { prune: 'magnitude', initialization: 'he' } as const
  const byGradient = { every: 'epoch', until: 1 } as const
  const pairs = [
    [set(), set({ neurons })],
    [set(magnitude), set({ ...magnitude, neurons })],
    [rigl(byGradient), rigl({ ...byGradient, neurons })],
  ] as const
  for (const block of ['1x1', '4x1', '3x2'] as const) {
    // The larger batch is of several panels, and the last one of an epoch is shorter.
    for (const [index, pair] of pairs.entries()) {
      for (const batchSize of [16, 150]) {
        const snapshots = []
        for (const rewire of pair) {
          const network = new Network({
            inputs: 30,
            layers: [sparse(47, { block }), sparse(40, { block }), dense(3)],
            sparsity: 0.7,
            device: 'cpu',
          })
          const settings = { epochs: 4, batchSize, optimizer: adam(), rewire, threads: 2 }
          const { rewirings } = await network.fit(data, settings)
          t.equal(rewirings.length, 3)
          snapshots.push(bits(await network.snapshot()))
        }
        t.strictSame(snapshots[1], snapshots[0], `${index}, ${block}, ${batchSize}`)
      }
    }
  }
})

const cases = fc.record({
  inputs: fc.integer({ min: 3, max: 14 }),
  widths: fc.array(fc.integer({ min: 3, max: 14 }), { minLength: 1, maxLength: 3 }),
  block: fc.constantFrom('1x1', '2x1', '3x2'),
  sparsity: fc.double({ min: 0.1, max: 0.6, noNaN: true }),
  finalSparsity: fc.double({ min: 0.65, max: 0.8, noNaN: true }),
  fraction: fc.double({ min: 0.05, max: 1, noNaN: true }),
  every: fc.integer({ min: 1, max: 4 }),
  batchSize: fc.integer({ min: 3, max: 40 }),
  seed: fc.nat(1000),
})

t.test('whatever the network, as many connections stay as the rule says', { skip: noAddon }, async (t) => {
  let emptied = 0
  const check = fc.asyncProperty(cases, async (each) => {
    const { inputs, widths, block, sparsity, finalSparsity, fraction, every, batchSize, seed } = each
    const make = () =>
      new Network({
        inputs,
        layers: [...widths.map((width) => sparse(width, { block })), dense(3)],
        sparsity,
        seed,
        device: 'cpu',
      })
    const samples = clouds(40, inputs, 3)
    const counts = (network: Network) => network.summary().map(({ connections }) => connections)
    const settings = { epochs: 6, batchSize, threads: 1 }

    const inverted = make()
    const before = inverted.summary()
    const { rewirings } = await inverted.fit(samples, {
      ...settings,
      rewire: invertedRigl({ every, fraction, until: 1 }),
    })
    if (rewirings.some(({ layers }) => layers.length !== widths.length)) throw new Error('layers')
    const same = before.every((layer, i) => block !== '1x1' || counts(inverted)[i] === layer.connections)
    if (!same) throw new Error(`${counts(inverted)} connections`)

    const pruned = make()
    const rewire = granet({ every, fraction, finalSparsity, until: 1 })
    try {
      await pruned.fit(samples, { ...settings, rewire })
    } catch (error) {
      if (!/without a connection/.test(String(error))) throw error
      emptied++
      return
    }
    const size = before.slice(0, -1).reduce((sum, layer) => sum + layer.inputs * layer.outputs, 0)
    const target = size - Math.floor(finalSparsity * size + 1e-9)
    const left = counts(pruned).slice(0, -1)
    const total = left.reduce((sum, count) => sum + count, 0)
    // Blocks go whole, and those at the border are smaller than they count for.
    const whole = block === '1x1' ? 0 : block === '2x1' ? 2 : 6
    if (total < target - whole * widths.length || (whole === 0 && total !== target))
      throw new Error(`${total} connections are left; ${target} were asked for`)
  })
  await fc.assert(check, { numRuns: 150, seed: 7 })
  t.ok(emptied < 30, `${emptied} were refused`)
})
