/** What holds for every rule that works on the host's state. */
import path from 'node:path'
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
  for (const block of ['1x1', '4x1', '3x2'] as const) {
    for (const [onDevice, onHost] of [
      [set(), set({ neurons })],
      [
        set({ prune: 'magnitude', initialization: 'he' }),
        set({ prune: 'magnitude', initialization: 'he', neurons }),
      ],
      [rigl({ every: 25, until: 1 }), rigl({ every: 25, until: 1, neurons })],
    ] as const) {
      const snapshots = []
      for (const rewire of [onDevice, onHost]) {
        const network = new Network({
          inputs: 30,
          layers: [sparse(47, { block }), sparse(40, { block }), dense(3)],
          sparsity: 0.7,
          device: 'cpu',
        })
        const result = await network.fit(data, {
          epochs: 4,
          batchSize: 16,
          optimizer: adam(),
          rewire,
          threads: 2,
        })
        t.equal(result.rewirings.length, 3)
        snapshots.push(bits(await network.snapshot()))
      }
      t.strictSame(snapshots[1], snapshots[0], `${onHost.type}, ${block}`)
    }
  }
})
